"""Loads the gates of the ERP view: a YAML document, checked completely, with the line to fix."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path

from mdm.core.four_eyes import Policy, sensitive_attributes
from mdm.core.gates import OTHERWISE, Gate, Gates
from mdm.hub.projections import shipped_targets
from mdm.hub.steward.policy import load_policy
from mdm.model.canonical import ATTRIBUTES
from mdm.model.ids import Domain
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.onboarding.verdict import Decision
from survivorship.document import Part, read_document

_SHIPPED = Path(__file__).parent / "gates.yaml"
#: As many seconds as a version may wait for others: a day.
_LONGEST = 86_400


@cache
def shipped_gates() -> Gates:
    """The gates that ship with the hub."""
    return read_gates(_SHIPPED)


def read_gates(file: Path, policy: Policy | None = None) -> Gates:
    """The gates of a document.

    Args:
        policy: says what is sensitive where the document leaves it to the policy; the shipped one if not given.

    Raises:
        ConfigurationInvalid: it is wrong; the message names file, line and key.
    """
    document = read_document(file)
    domains = {each.plural: each for each in Domain}
    parts = document.mapping("version", *domains)
    for needed in ("version", *domains):
        if needed not in parts:
            document.refuse(f"must have the key {needed}")
    called = sensitive_attributes(policy or load_policy())
    return Gates(
        parts["version"].text(),
        hashlib.sha256(file.read_bytes() + b"\0" + " ".join(sorted(called)).encode()).hexdigest(),
        {domain: _gate(domain, parts[name], called) for name, domain in domains.items()},
    )


def _gate(domain: Domain, part: Part, called: frozenset[str]) -> Gate:
    own = part.mapping("fits", "verdict", "findings", "sensitive", "significant", "not_before")
    fits = own["fits"].value if "fits" in own else False
    if not isinstance(fits, bool):
        own["fits"].refuse("must be true or false")
    for name in {"verdict", "findings"} & own.keys():
        if domain is not Domain.CUSTOMER:
            own[name].refuse("is for customers only: nobody judges others")
    if "findings" in own and "verdict" not in own:
        own["findings"].refuse("needs the key verdict beside it: without one nobody is judged")
    return Gate(
        fits,
        frozenset(map(_decision, own["verdict"].elements())) if "verdict" in own else None,
        frozenset(map(_code, own["findings"].elements())) if "findings" in own else frozenset(),
        _sensitive(domain, own["sensitive"], called) if "sensitive" in own else {},
        _attributes(domain, own["significant"]) if "significant" in own else None,
        timedelta(seconds=own["not_before"].number(0, _LONGEST)) if "not_before" in own else timedelta(),
    )


def _sensitive(domain: Domain, part: Part, called: frozenset[str]) -> Mapping[str, frozenset[str]]:
    """By ERP. `policy` is what the policy calls sensitive, as far as the domain has it."""
    if not isinstance(part.value, dict):
        return {OTHERWISE: _listed(domain, part, called)}
    lists = part.mapping(OTHERWISE, *shipped_targets())
    return {name: _listed(domain, each, called) for name, each in lists.items()}


def _listed(domain: Domain, part: Part, called: frozenset[str]) -> frozenset[str]:
    if part.value == "policy":
        return called & {each.name for each in ATTRIBUTES[domain]}
    return _attributes(domain, part)


def _attributes(domain: Domain, part: Part) -> frozenset[str]:
    if not isinstance(part.value, list):
        part.refuse("must be a list of attributes")
    known = {each.name for each in ATTRIBUTES[domain]}
    for each in part.elements():
        if each.text() not in known:
            each.refuse(f"is {each.text()}, which is no attribute of {domain.plural}")
    return frozenset(each.text() for each in part.elements())


def _code(part: Part) -> str:
    if part.text() not in shipped_ruleset().rules:
        part.refuse(f"is {part.text()}, which is no code of the onboarding rules (`mdm onboarding codes`)")
    return part.text()


def _decision(part: Part) -> Decision:
    if part.text() not in set(Decision):
        part.refuse(f"is {part.text()}; decisions are {', '.join(Decision)}")
    return Decision(part.text())
