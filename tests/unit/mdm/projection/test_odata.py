"""What is understood of OData, and what is refused with a sentence that says what is."""

from decimal import Decimal

import pytest

from mdm.hub.projections import shipped_targets
from mdm.model.ids import Domain
from mdm.projection.csdl import metadata
from mdm.projection.odata import (
    MOST_COMPARISONS,
    Both,
    Compare,
    Condition,
    Op,
    Unsupported,
    parse_filter,
    parse_order,
    parse_select,
)

FORM = shipped_targets()["sap"].forms[Domain.CUSTOMER]
CONTRACTS = shipped_targets()["sap"].forms[Domain.CONTRACT]


def told(condition: Condition) -> str:
    if isinstance(condition, Both):
        return f"({told(condition.left)} {condition.word} {told(condition.right)})"
    return f"{condition.field.name} {condition.op} {condition.value!r}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Language eq 'NL'", "Language eq 'NL'"),
        ("Language eq 'O''Neill'", 'Language eq "O\'Neill"'),
        ("BusinessPartnerIsBlocked ne true", "BusinessPartnerIsBlocked ne True"),
        ("ETag ge 3", f"ETag ge {Decimal(3)!r}"),
        ("Industry eq null", "Industry eq None"),
        ("contains(BusinessPartnerFullName,'Acme')", "BusinessPartnerFullName contains 'Acme'"),
        (
            "Language eq 'A' or Language eq 'B' and Language eq 'C'",
            "(Language eq 'A' or (Language eq 'B' and Language eq 'C'))",
        ),
        (
            "(Language eq 'A' or Language eq 'B') and startswith(Industry,'x')",
            "((Language eq 'A' or Language eq 'B') and Industry startswith 'x')",
        ),
    ],
)
def test_a_filter_is_read(text: str, expected: str) -> None:
    assert told(parse_filter(FORM, text)) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "ends too early"),
        ("Language", "ends too early"),
        ("Language eq", "ends too early"),
        ("Language has 'x'", "'has' is not understood"),
        ("not (Language eq 'x')", "function 'not'"),
        ("ShoeSize eq 3", "no field"),
        ("to_BusinessPartnerTax eq 3", "collection"),
        ("OrganizationBPName1 eq 'x'", "put together"),
        ("Language eq 3", "holds Edm.String"),
        ("ETag eq 'x'", "holds Edm.Int32"),
        ("BusinessPartnerIsBlocked gt true", "eq or ne"),
        ("Language gt null", "null is compared"),
        ("tolower(Language) eq 'x'", "function 'tolower'"),
        ("startswith(ETag,'1')", "takes a field that holds text"),
        ("Language eq 'x' Language", "not understood there"),
        ("Language eq 'x", "cannot be read"),
        ("(Language eq 'x'", "ends too early"),
        ("; drop table golden", "cannot be read"),
        ("(" * 50 + "Language eq 'x'" + ")" * 50, "too many parentheses"),
        (" or ".join(["Language eq 'x'"] * (MOST_COMPARISONS + 1)), "at most"),
    ],
)
def test_what_is_not_understood_is_said(text: str, why: str) -> None:
    with pytest.raises(Unsupported, match=why):
        parse_filter(FORM, text)


def test_dates_are_dates() -> None:
    condition = parse_filter(CONTRACTS, "SalesContractValidityStartDate ge 2025-01-01")

    assert isinstance(condition, Compare)
    assert condition.op is Op.GE
    with pytest.raises(Unsupported):
        parse_filter(CONTRACTS, "SalesContractValidityStartDate ge 2025-13-01")


def test_one_field_sorts() -> None:
    assert parse_order(FORM, "Language desc").descending
    for refused in ("Language,Industry", "Language up", "OrganizationBPName1", "ShoeSize", ""):
        with pytest.raises(Unsupported):
            parse_order(FORM, refused)


def test_select_names_fields_that_there_are() -> None:
    assert parse_select(FORM, "Language, Industry") == {"Language", "Industry"}
    assert parse_select(FORM, "*") == FORM.names
    with pytest.raises(Unsupported, match="ShoeSize"):
        parse_select(FORM, "ShoeSize")


@pytest.mark.parametrize("target", shipped_targets().values(), ids=list(shipped_targets()))
def test_the_schema_names_every_set_and_every_type_that_it_uses(target: object) -> None:
    from xml.etree import ElementTree as Xml

    root = Xml.fromstring(metadata(target).encode())  # type: ignore[arg-type]
    edm = "{http://docs.oasis-open.org/odata/ns/edm}"
    defined = {f"mdm.{target.name}.{each.get('Name')}" for kind in ("EntityType", "ComplexType")  # type: ignore[attr-defined]
               for each in root.iter(edm + kind)}  # fmt: skip
    used = {each.get("EntityType") for each in root.iter(edm + "EntitySet")}
    used |= {
        kind.removeprefix("Collection(").removesuffix(")")
        for each in root.iter(edm + "Property")
        if not (kind := each.get("Type", "")).startswith("Edm.")
    }
    assert used == defined
    assert len(list(root.iter(edm + "EntitySet"))) == 3
