"""Loads the gates of the ERP view: a YAML document, checked completely, with the line to fix."""

import hashlib
from functools import cache
from pathlib import Path

from mdm.core.gates import Gate, Gates
from mdm.model.ids import Domain
from mdm.onboarding.verdict import Decision
from survivorship.document import Part, read_document

_SHIPPED = Path(__file__).parent / "gates.yaml"


@cache
def shipped_gates() -> Gates:
    """The gates that ship with the hub."""
    return read_gates(_SHIPPED)


def read_gates(file: Path) -> Gates:
    """The gates of a document.

    Raises:
        ConfigurationInvalid: it is wrong; the message names file, line and key.
    """
    document = read_document(file)
    domains = {each.plural: each for each in Domain}
    parts = document.mapping("version", *domains)
    for needed in ("version", *domains):
        if needed not in parts:
            document.refuse(f"must have the key {needed}")
    return Gates(
        parts["version"].text(),
        hashlib.sha256(file.read_bytes()).hexdigest(),
        {domain: _gate(domain, parts[name]) for name, domain in domains.items()},
    )


def _gate(domain: Domain, part: Part) -> Gate:
    own = part.mapping("fits", "verdict")
    fits = own["fits"].value if "fits" in own else False
    if not isinstance(fits, bool):
        own["fits"].refuse("must be true or false")
    if "verdict" not in own:
        return Gate(fits)
    if domain is not Domain.CUSTOMER:
        own["verdict"].refuse("is for customers only: nobody judges others")
    return Gate(fits, frozenset(map(_decision, own["verdict"].elements())))


def _decision(part: Part) -> Decision:
    if part.text() not in set(Decision):
        part.refuse(f"is {part.text()}; decisions are {', '.join(Decision)}")
    return Decision(part.text())
