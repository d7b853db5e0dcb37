"""The declared part of reconciliation: rules with their owners, the words of the platforms, grace periods."""

from collections.abc import Iterator, Mapping
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
    return read_policy(_shipped_text())


def _shipped_text() -> str:
    return (files("mdm.lifecycle") / "rules.yaml").read_text("utf-8")


def read_policy(text: str) -> Policy:
    """A policy from its YAML text, complete in itself.

    Raises:
        ConfigurationInvalid: a part is missing or not what it should be; names it.
    """
    try:
        return _policy(yaml.safe_load(text))
    except yaml.YAMLError as fault:
        raise ConfigurationInvalid(f"The reconciliation rules cannot be read: {fault}.") from fault


def extended_policy(text: str, name: str) -> Policy:
    """The shipped policy with what a document of one's own says in its place; the document needs only what differs.

    A list takes the place of the shipped list. Of a rule and of a step, what is not said stays as shipped.

    Raises:
        ConfigurationInvalid: it cannot be read, or speaks of a part, a rule, a step or a meaning that is not known;
            names all of them, and what is known.
    """
    try:
        own = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as fault:
        raise ConfigurationInvalid(f"{name} cannot be read: {fault}.") from fault
    if not isinstance(own, dict) or not own.get("version"):
        raise ConfigurationInvalid(f"{name} must be a mapping with a version.", action='Write `version: "1"` first.')
    shipped: dict[str, Any] = yaml.safe_load(_shipped_text())
    if strange := sorted(_strange(own, shipped)):
        raise ConfigurationInvalid(
            f"{name} says what reconciliation does not know: {'; '.join(strange)}.",
            action="Correct these names, or take them out. All of them stand in mdm/lifecycle/rules.yaml.",
        )
    whole = {part: _over(shipped[part], own[part]) if part in own else shipped[part] for part in shipped}
    try:
        return _policy(whole)
    except ConfigurationInvalid as fault:
        raise ConfigurationInvalid(f"{name}: {fault.message}", action=fault.advice) from fault


#: Parts of which the names are the platforms' own words, not ours.
_OPEN_PARTS = ("periods_per_year",)
#: Parts of which every name has a mapping of its own.
_NESTED_PARTS = ("rules", "progress")


def _strange(own: Mapping[str, Any], shipped: Mapping[str, Any]) -> Iterator[str]:
    """What a document says that the shipped one has no place for, with what is known there."""
    for part, said in own.items():
        if part not in shipped:
            yield f"{part} (known: {', '.join(shipped)})"
            continue
        known = shipped[part]
        if isinstance(known, dict) != isinstance(said, dict) or isinstance(known, list) != isinstance(said, list):
            yield f"{part} as {type(said).__name__} (it is {'a mapping' if isinstance(known, dict) else 'a list'})"
        elif isinstance(known, dict) and part not in _OPEN_PARTS:
            for each, told in said.items():
                if each not in known:
                    yield f"{part}.{each} (known: {', '.join(known)})"
                elif part in _NESTED_PARTS:
                    yield from _strange_in(f"{part}.{each}", told, known[each])


def _strange_in(place: str, told: Any, known: Mapping[str, Any]) -> Iterator[str]:  # Any: whatever the document says
    if not isinstance(told, dict):
        yield f"{place} as {type(told).__name__} (it is a mapping)"
        return
    for name in told:
        if name not in known:
            yield f"{place}.{name} (known: {', '.join(known)})"
    if told.get("code", known.get("code")) != known.get("code"):
        yield f"{place}.code {told['code']} (it stays {known['code']}: others know the finding by it)"


def _over(shipped: Any, own: Any) -> Any:  # Any: parts of a YAML document
    if isinstance(shipped, dict) and isinstance(own, dict):
        return {**shipped, **{name: _over(shipped.get(name), said) for name, said in own.items()}}
    return own


def _policy(document: dict[str, Any]) -> Policy:
    try:
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
    except (AttributeError, TypeError, ValueError) as fault:
        raise ConfigurationInvalid(f"The reconciliation rules cannot be read: {fault}.") from fault


def _declared(name: str, rule: Mapping[str, str]) -> Declared:
    return Declared(name, rule["code"], Severity(rule["severity"]), rule["owner"], rule["action"])


def _progress(step: Mapping[str, Any]) -> Progress:
    return Progress(int(step["days"]), str(step["waits_for"]), str(step["action"]), str(step["owner"]))


def _sets(lists: Mapping[str, list[str]]) -> Mapping[str, frozenset[str]]:
    for name, words in lists.items():
        if not isinstance(words, list):  # a word alone would be read as its letters
            raise TypeError(f"{name} must be a list")
    return {name: frozenset(map(str, words)) for name, words in lists.items()}
