"""Loads the policy of the second person: a YAML document, checked completely, with the line to fix."""

from decimal import Decimal
from functools import cache
from pathlib import Path

from mdm.access import Role, read_role
from mdm.core.four_eyes import ANY_CURRENCY, Demand, Policy, Risk
from mdm.errors import Invalid
from mdm.model.canonical import ATTRIBUTES
from mdm.model.hierarchy import RelationKind
from mdm.model.worklist import CustomerWeights
from survivorship.document import Part, read_document

_SHIPPED = Path(__file__).parent / "policy.yaml"
_CONDITIONS = ("merges", "attributes", "golden", "erp_linked", "amount", "discards", "tier")
_NAMES = frozenset(attribute.name for attributes in ATTRIBUTES.values() for attribute in attributes) | frozenset(
    RelationKind
)

#: Nobody needs a second person.
NO_POLICY = Policy("none", 14)


@cache
def load_policy(path: Path | None = None) -> Policy:
    """The policy in a file, or the shipped one.

    Raises:
        ConfigurationInvalid: the document is wrong; the message names file, line and key.
    """
    document = read_document(path or _SHIPPED)
    parts = document.mapping("version", "expires_after_days", "rules", "customers")
    for needed in ("version", "expires_after_days", "rules"):
        if needed not in parts:
            document.refuse(f"must have the key {needed}")
    demands = tuple(_demand(part) for part in parts["rules"].elements()) if parts["rules"].value else ()
    names = [demand.name for demand in demands]
    for demand, part in zip(demands, parts["rules"].elements(), strict=False):
        if names.count(demand.name) > 1:
            part.refuse(f"has the name {demand.name}, which another rule has too")
    return Policy(
        parts["version"].text(),
        int(parts["expires_after_days"].number(1, 365)),
        demands,
        _customers(parts["customers"]) if "customers" in parts else CustomerWeights(),
    )


def _customers(part: Part) -> CustomerWeights:
    own = part.mapping("tiers", "many_users")
    return CustomerWeights(
        {name: each.number(0, 20) for name, each in own["tiers"].items()} if "tiers" in own else {},
        int(own["many_users"].number(1, 1_000_000_000)) if "many_users" in own else CustomerWeights().many_users,
    )


def _demand(part: Part) -> Demand:
    own = part.mapping("name", "because", "approvers", "risk", *_CONDITIONS)
    for needed in ("name", "because", "approvers"):
        if needed not in own:
            part.refuse(f"must have the key {needed}")
    if not own.keys() & set(_CONDITIONS):
        part.refuse(f"must have a condition: {', '.join(_CONDITIONS)}")
    if "merges" in own and own["merges"].value is not True:
        own["merges"].refuse("must be true, or be left out")
    return Demand(
        name=own["name"].text(),
        because=own["because"].text(),
        approvers=frozenset(_role(each) for each in own["approvers"].elements()),
        merges="merges" in own,
        attributes=frozenset(_attribute(each) for each in own["attributes"].elements())
        if "attributes" in own
        else frozenset(),
        golden={name: _known(name, each).value for name, each in own["golden"].items()} if "golden" in own else {},
        erp_linked=int(own["erp_linked"].number(1, 100)) if "erp_linked" in own else 0,
        amount=dict(map(_limit, own["amount"].items())) if "amount" in own else {},
        discards=int(own["discards"].number(1, 1_000_000)) if "discards" in own else 0,
        tier=int(own["tier"].number(1, 3)) if "tier" in own else 0,
        risk=_risk(own["risk"]) if "risk" in own else Risk.NORMAL,
    )


def _risk(part: Part) -> Risk:
    words = {each.word: each for each in Risk}
    if part.text() not in words:
        part.refuse(f"is {part.text()}; it is one of {', '.join(words)}")
    return words[part.text()]


def _role(part: Part) -> Role:
    try:
        return read_role(part.text())
    except Invalid:
        part.refuse(f"names {part.text()}, which is not a role; roles are {', '.join(map(str, Role))}")


def _attribute(part: Part) -> str:
    return _known(part.text(), part).text()


def _known(name: str, part: Part) -> Part:
    if name not in _NAMES:
        part.refuse(f"is about {name}, which is not an attribute of any domain")
    return part


def _limit(item: tuple[str, Part]) -> tuple[str, Decimal]:
    currency, part = item
    if currency != ANY_CURRENCY and not (len(currency) == 3 and currency.isupper()):
        part.refuse("is not a currency code; write '*' for any other")
    return currency, Decimal(str(part.number(0, 1e15)))
