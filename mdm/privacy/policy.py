"""The erasure policy as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from mdm.errors import ConfigurationInvalid


@dataclass(frozen=True, slots=True)
class Policy:
    """What identifies, what is held and why (by kind of linked fact), and what goes with a customer."""

    version: str
    identifying: tuple[str, ...]
    held: Mapping[str, str]
    dependent: frozenset[str]

    def identifies(self, column: str) -> bool:
        """Whether a column of this name says who somebody is."""
        folded = column.casefold()
        return any(word in folded for word in self.identifying)


@cache
def shipped_policy() -> Policy:
    """The policy that ships with the hub."""
    return read_policy((files("mdm.privacy") / "policy.yaml").read_text("utf-8"))


def read_policy(text: str) -> Policy:
    """A policy from its YAML document.

    Raises:
        ConfigurationInvalid: a part is missing or not what it should be; names it.
    """
    try:
        document: dict[str, Any] = yaml.safe_load(text)
        return Policy(
            version=str(document["version"]),
            identifying=tuple(str(word).casefold() for word in document["identifying"]),
            held={str(kind): str(basis) for kind, basis in document["held"].items()},
            dependent=frozenset(map(str, document["dependent"])),
        )
    except KeyError as fault:
        raise ConfigurationInvalid(f"The erasure policy lacks {fault}.") from fault
    except (yaml.YAMLError, AttributeError, TypeError) as fault:
        raise ConfigurationInvalid(f"The erasure policy cannot be read: {fault}.") from fault
