"""The declared part of reconciliation: rules with their owners, the words of the platforms, grace periods."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from mdm.errors import ConfigurationInvalid
from mdm.lifecycle.findings import Severity
from mdm.model.ids import CrosswalkKey


@dataclass(frozen=True, slots=True)
class Declared:
    """A rule as it is declared: stable code, severity, what to do and whose move it is."""

    name: str
    code: str
    severity: Severity
    owner: str
    action: str


@dataclass(frozen=True, slots=True)
class Progress:
    """A step of a business transaction: how long one may stand at it, what follows, what to do and whose move it is."""

    days: int
    waits_for: str
    action: str
    owner: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that rules know about platforms and deadlines."""

    version: str
    rules: Mapping[str, Declared]
    roles: Mapping[str, frozenset[str]]
    words: Mapping[str, frozenset[str]]
    receivable_accounts: frozenset[str]
    periods_per_year: Mapping[str, int]
    grace: Mapping[str, timedelta]
    #: On which business day after a month its books are closed.
    close_on: int = 5
    progress: Mapping[str, Progress] = field(default_factory=dict)

    def plays(self, role: str, key: CrosswalkKey) -> bool:
        """Whether rows of this table play the role."""
        return f"{key.system}.{key.type}" in self.roles[role]

    def says(self, meaning: str, word: str | None) -> bool:
        """Whether a status word has this meaning."""
        return word is not None and word in self.words[meaning]


@cache
def shipped_policy() -> Policy:
    """The policy that ships with the hub (`rules.yaml`)."""
    return read_policy((files("mdm.lifecycle") / "rules.yaml").read_text("utf-8"))


def read_policy(text: str) -> Policy:
    """A policy from its YAML text.

    Raises:
        ConfigurationInvalid: a part is missing or not what it should be; names it.
    """
    try:
        document: dict[str, Any] = yaml.safe_load(text)
        return Policy(
            version=str(document["version"]),
            rules={name: _declared(name, rule) for name, rule in document["rules"].items()},
            roles=_sets(document["roles"]),
            words=_sets(document["words"]),
            receivable_accounts=frozenset(map(str, document["receivable_accounts"])),
            periods_per_year={name: int(periods) for name, periods in document["periods_per_year"].items()},
            grace={name: timedelta(days=float(days)) for name, days in document["grace"].items()},
            close_on=int(document.get("close", {}).get("business_day", 5)),
            progress={name: _progress(step) for name, step in document["progress"].items()},
        )
    except KeyError as fault:
        raise ConfigurationInvalid(f"The reconciliation rules lack {fault}.") from fault
    except (yaml.YAMLError, AttributeError, TypeError, ValueError) as fault:
        raise ConfigurationInvalid(f"The reconciliation rules cannot be read: {fault}.") from fault


def _declared(name: str, rule: Mapping[str, str]) -> Declared:
    return Declared(name, rule["code"], Severity(rule["severity"]), rule["owner"], rule["action"])


def _progress(step: Mapping[str, Any]) -> Progress:
    return Progress(int(step["days"]), str(step["waits_for"]), str(step["action"]), str(step["owner"]))


def _sets(lists: Mapping[str, list[str]]) -> Mapping[str, frozenset[str]]:
    return {name: frozenset(words) for name, words in lists.items()}
