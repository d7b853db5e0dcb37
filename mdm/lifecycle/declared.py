"""Documents that people write in YAML, read whole and strictly: whatever is wrong is told with its line.

Pure: what a document means is decided by who reads it (`usage_revenue`, `accounts`, `tax_codes`).
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NoReturn

import yaml

from mdm.errors import ConfigurationInvalid

_LONGEST = 100
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """The days from `first` to `last`, both included; None is open."""

    first: date | None = None
    last: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the day is one of them."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def meets(self, other: "Span") -> bool:
        """Whether both have a day in common."""
        return (other.last is None or self.first is None or self.first <= other.last) and (
            self.last is None or other.first is None or other.first <= self.last
        )

    def __str__(self) -> str:
        since = f"from {self.first.isoformat()}" if self.first is not None else ""
        until = f"to {self.last.isoformat()}" if self.last is not None else ""
        return " ".join(part for part in (since, until) if part) or "always"


class DeclaredReader:
    """Reads the nodes of one document; `name` is what faults call it, `advice` what they tell to do.

    Raises of every method:
        ConfigurationInvalid: the document is not what it should be; the message names the line.
    """

    def __init__(self, name: str, advice: str) -> None:
        self._name = name
        self._advice = advice

    def root(self, text: str) -> yaml.Node:
        """The whole document."""
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            raise ConfigurationInvalid(f"{self._name} is not a YAML document: {error}") from error
        except RecursionError as error:
            raise ConfigurationInvalid(f"{self._name} is not a YAML document: it is nested too deeply.") from error
        if node is None:
            raise ConfigurationInvalid(f"{self._name} is empty.")
        return node

    def parts(
        self, node: yaml.Node, what: str, known: Collection[str], needed: Collection[str]
    ) -> Mapping[str, yaml.Node]:
        """The parts of a mapping by name: only known ones, each once, and all that are needed."""
        if not isinstance(node, yaml.MappingNode):
            self.refuse(node, f"{what} must be a mapping")
        parts: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if name not in known:
                self.refuse(key, f"{name} is not known here; known are {', '.join(known)}")
            if name in parts:
                self.refuse(key, f"{name} stands here twice")
            parts[name] = value
        if missing := [name for name in needed if name not in parts]:
            self.refuse(node, f"{what} must have {', '.join(missing)}")
        return parts

    def items(self, node: yaml.Node, what: str) -> Sequence[yaml.Node]:
        """The elements of a list; there is at least one."""
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.refuse(node, f"{what} must be a list, and not an empty one")
        found: Sequence[yaml.Node] = node.value
        return found

    def text(self, node: yaml.Node, key: str) -> str:
        """A text of at most a hundred characters that is not blank."""
        if not isinstance(node, yaml.ScalarNode) or node.tag.endswith(":null") or not node.value.strip():
            self.refuse(node, f"{key} must be a text")
        if len(node.value) > _LONGEST:
            self.refuse(node, f"{key} must have at most {_LONGEST} characters")
        return str(node.value).strip()

    def quoted(self, node: yaml.Node, key: str, form: re.Pattern[str], like: str) -> str:
        """A code of this form. It is text for every reader of YAML: to some 0400 is the number 256, and NO is false."""
        text = self.text(node, key)
        if not node.tag.endswith(":str"):
            self.refuse(node, f'{key} must stand in quotation marks, like "{text}"')
        if form.fullmatch(text) is None:
            self.refuse(node, f"{key} must be {like}")
        return text

    def span(self, parts: Mapping[str, yaml.Node]) -> Span:
        """The days that `from` and `to` leave."""
        first, last = (self._day(parts[name], name) if name in parts else None for name in ("from", "to"))
        if first is not None and last is not None and last < first:
            self.refuse(parts["to"], "to must not be before from")
        return Span(first, last)

    def refuse(self, node: yaml.Node, problem: str) -> NoReturn:
        """Tell what is wrong with a node."""
        raise ConfigurationInvalid(f"{self._name}, line {node.start_mark.line + 1}: {problem}.", action=self._advice)

    def _day(self, node: yaml.Node, key: str) -> date:
        written = self.text(node, key)
        try:
            if _DAY.fullmatch(written) is None:
                raise ValueError(written)
            return date.fromisoformat(written)
        except ValueError:
            self.refuse(node, f"{key} must be a day of the calendar, like 2026-01-31")


def fingerprint_of(said: Any) -> str:
    """Names what a document says, however it is written: sixteen characters. Any: JSON, decimals and days as text."""
    content = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
