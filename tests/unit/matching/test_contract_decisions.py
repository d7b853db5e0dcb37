"""Which two contracts are one by themselves and which are a question, as a person would decide at a glance.

Two rows of one customer with the same products, term, value and currency, but for what each case says.
"""

from typing import Any

import pytest

from matching.blocking import block_keys
from matching.decision import Decision, decide
from matching.features import derive
from matching.model import load_model
from matching.scoring import explain_pair
from matching.validity import DIFFERENT_CUSTOMERS, contradiction, facts_of
from tests.unit.mdm.intake.standardise.given import standardised

CRM, ERP, BILLING = "crm:contract", "erp:sales_contract", "billing:subscription"
#: Every contract of the cases begins here and has this last day, unless it says otherwise.
FIRST, LAST = 20_000, 20_364


def number(written: str, as_: str) -> dict[str, Any]:
    return dict(standardised(as_, written).comparison)


def contract(table: str, own: str | None = None, cites: str | None = None, **more: Any) -> dict[str, Any]:
    term = {"start": FIRST, "end": LAST, "term_months": 12, "value": 12_000.0, "annual_value": 12_000.0}
    if table == BILLING:
        term = {"start": FIRST, "period_start": FIRST, "period_end": LAST}
    found = {"source_type": table, "self": [f"{table}:{own}:{cites}"], "customer": "cus_1", "products": ["prd_1"]}
    found |= term | {"currency": "eur"}
    found |= number(own, "own_number") if own is not None else {}
    found |= number(cites, "stated_number") if cites is not None else {}
    return {name: value for name, value in (found | more).items() if value is not None}


OPEN = {"end": None}
CASES = {
    "one number": (contract(CRM, "CT-2024-000123"), contract(ERP, cites="CT-2024-000123"), None),
    "one number in one table": (contract(CRM, "CT-2024-000123"), contract(CRM, "CT-2024-000123"), None),
    "a number without its prefix": (contract(CRM, "CT-2024-000123"), contract(CRM, "2024-000123"), None),
    "a number in other signs": (contract(CRM, "CT-2024-000123"), contract(CRM, "ct 2024/000123"), None),
    "a number without its padding": (contract(CRM, "CT-2024-000123"), contract(CRM, "ct 2024/123"), None),
    "a number with letters for digits": (contract(CRM, "CT-2024-000123"), contract(CRM, "CT-2O24-OOO123"), None),
    "a number of a short year": (contract(CRM, "CT-2024-000123"), contract(CRM, "CT/24/123"), None),
    "a number behind words": (contract(CRM, "CT-2024-000123"), contract(ERP, cites="Sözleşme No: CT-2024/123"), None),
    "a number behind an order": (
        contract(CRM, "CT-2024-000123"), contract(ERP, cites="PO 4500012345, CT-2024-123"), None,
    ),
    "another number behind an order": (
        contract(CRM, "CT-2024-000123"), contract(ERP, cites="PO 4500012345, CT-2024-987"), "cites_another",
    ),
    "groups without their padding": (contract(CRM, "AB-0012-0045"), contract(ERP, cites="AB-12-45"), None),
    "groups without their padding in two tables": (contract(CRM, "AB-0012-0045"), contract(ERP, "AB-12-45"), None),
    "other groups": (contract(CRM, "AB-0012-0045"), contract(ERP, "AB-0012-0845"), "number_differs"),
    "a number before its year": (contract(CRM, "2024/123"), contract(ERP, "123/2024"), None),
    "letters between a number and its year": (contract(CRM, "UM/123/2024"), contract(ERP, "123/UM/2024"), None),
    "a number over its short year": (contract(CRM, "2024/123"), contract(ERP, cites="123/24"), None),
    "another value, and a number that agrees": (
        contract(CRM, "CT-2024-123"), contract(ERP, cites="CT-2024-123", value=9_120.0, annual_value=9_120.0), None,
    ),
    "another value, and no number": (
        contract(CRM, "CT-2024-123"), contract(ERP, value=19_968.0, annual_value=19_968.0), "value_differs",
    ),
    "a value of which one year is told": (contract(CRM, "CT-2024-123"), contract(ERP, value=24_000.0), None),
    "a number before another year": (contract(CRM, "CT-2024-123"), contract(ERP, "CT-123/2023"), "number_differs"),
    "one order for two contracts": (
        contract(BILLING, cites="CT-2024-000124 / PO 4500012345"), contract(CRM, "CT-2024-000123"), "cites_another",
    ),
    "one order for two numbers": (
        contract(BILLING, cites="CT-2024-000124 / PO 4500012345"),
        contract(ERP, cites="CT-2024-000123 / PO 4500012345"),
        "cites_another",
    ),
    "a number of another year": (contract(CRM, "CT-2024-000123"), contract(CRM, "CT-2023-123"), "number_differs"),
    "a part of a contract": (contract(CRM, "CT-2024-000123"), contract(ERP, "CT-2024-123/2"), "number_differs"),
    "a cited number with a slip": (contract(CRM, "CT-2024-000123"), contract(ERP, cites="CT-2042-000123"), None),
    "no number on one side": (contract(CRM, "CT-2024-000123"), contract(ERP), None),
    "numbers of two platforms": (contract(CRM, "CT-2024-000123"), contract(ERP, "0040000007"), None),
    "digits of two platforms": (contract(CRM, "2024000123"), contract(ERP, "0040000007"), None),
    "a subscription that cites the contract before": (
        contract(CRM, "CT-2024-000123"), contract(BILLING, cites="CT-2021-004711"), None,
    ),
    "other products": (
        contract(CRM, "CT-2024-000123"), contract(ERP, "0040000007", products=["prd_2"]), "products_differ",
    ),
    "other products and no number": (contract(CRM), contract(ERP, products=["prd_2"]), "products_differ"),
    "one product of two": (contract(CRM, "CT-2024-000123"), contract(ERP, products=["prd_1", "prd_2"]), None),
    "two customers": (
        contract(CRM, "CT-2024-000123"), contract(ERP, customer="cus_2"), "customer_differs",
    ),
    "two customers and no number": (contract(CRM), contract(ERP, customer="cus_2"), "customer_differs"),
    "two customers and one number": (
        contract(CRM, "CT-2024-000123"), contract(ERP, cites="CT-2024-000123", customer="cus_2"), "customer_differs",
    ),
    "a customer that nobody knows": (contract(CRM, "CT-2024-000123"), contract(ERP, customer=None), None),
    "two numbers in one table": (contract(CRM, "CT-2024-000123"), contract(CRM, "CT-2024-000987"), "number_differs"),
    "the next number in one table": (contract(CRM, "V-2024-001"), contract(CRM, "V-2024-002"), "number_differs"),
    "a number with an annex": (contract(CRM, "V-2024-001"), contract(CRM, "V-2024-001-A1"), "number_differs"),
    "two numbers of a kind in two tables": (
        contract(CRM, "V-2024-001"), contract(ERP, "V-2024-077"), "number_differs",
    ),
    "a number with an annex in two tables": (
        contract(CRM, "V-2024-001"), contract(ERP, "V-2024-001-A1"), "number_differs",
    ),
    "the number of another contract is cited": (
        contract(CRM, "CT-2024-000123"), contract(ERP, cites="CT-2024-000987"), "cites_another",
    ),
    "the next number is cited": (
        contract(CRM, "CT-2024-000123"), contract(BILLING, cites="CT-2024-000124"), "cites_another",
    ),
    "one year and three, no end": (
        contract(CRM, **OPEN), contract(ERP, **OPEN, term_months=36), "term_differs",
    ),
    "one year stated and three by the end": (
        contract(CRM, **OPEN), contract(ERP, end=FIRST + 1094, term_months=36), "term_differs",
    ),
    "one term and no end": (contract(CRM, **OPEN), contract(ERP, **OPEN), None),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_two_contracts_are_one_or_a_question(case: str) -> None:
    one, other, why = CASES[case]
    model = load_model("contract")

    for left, right in ((one, other), (other, one)):
        score = explain_pair(model, left, right)
        decided = decide(model, score.weight, score.veto)

        assert (why in score.vetoes) if why else not score.vetoes
        assert (decided is Decision.MATCH) is (why is None), score


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("CT-2024-000123", "CT-2024-000987", True),
        ("CT-2024-000123", "2024-000987", True),
        ("V-2024-001", "V-2024-001-A1", True),
        ("CT-2024-000123", "CT-2042-000123", False),
        ("CT-2024-000123", "2024 000123", False),
        ("CT-2024-000123", "ct 2024/123", False),
        ("CT-2024-000123", "ct 2024/124", False),
        ("CT-2024-000123", "ct 2024/987", True),
        ("CT-2024-000123", "0040000007", False),
        ("CT-2024-000123", "CT-123/2024", False),
        ("CT-2024-000123", "CT-987/2024", True),
        ("AB-0012-0045", "AB-12-45", False),
        ("AB-0012-0045", "AB00120045", False),
        ("AB-0012-0045", "AB-12-46", False),
        ("AB-0012-0045", "AB-12-89", True),
        ("AB-0012-0045", "0012-0890", True),
    ],
)
def test_contracts_of_two_numbers_are_not_brought_together_by_a_third(one: str, other: str, apart: bool) -> None:
    """A row without a number fits both: then a person says which of them it is."""
    model = load_model("contract")
    facts = [facts_of(model.cannot_link, derive("contract", contract(CRM, each), frozenset())) for each in (one, other)]

    assert (contradiction(*facts) is not None) is apart


@pytest.mark.parametrize(("customer", "why"), [("cus_2", DIFFERENT_CUSTOMERS), ("cus_1", None), (None, None)])
def test_contracts_of_two_customers_are_not_brought_together_by_a_third(customer: str | None, why: str | None) -> None:
    """Ids may differ in one sign, which is no slip of the pen."""
    model = load_model("contract")
    rows = contract(CRM, "CT-2024-000123"), contract(CRM, "CT-2024-000123", customer=customer)

    assert contradiction(*(facts_of(model.cannot_link, derive("contract", each, frozenset())) for each in rows)) == why


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("ct 2024/123", True),
        ("CT2024123", True),
        ("2024-123", True),
        ("CT-2O24-OOO123", True),
        ("契約番号:2024-123", True),
        ("CT - 2024 - 0123", True),
        ("CT-2024-000123/1", True),
        ("CT-2024-123-A", True),
        ("CT-2024-000123 Nachtrag 2", True),
        ("PO 4500012345, CT-2024-123", True),
        ("CT-2024-000124", False),
        ("CT-2023-000123", False),
        ("123", False),
    ],
)
def test_a_number_finds_its_contract_however_it_was_typed(written: str, found: bool) -> None:
    """Nothing else is known of the two: neither customer nor value."""
    model = load_model("contract")
    mine, theirs = number("CT-2024-000123", "own_number"), number(written, "stated_number")

    assert bool({*block_keys(model, mine)} & {*block_keys(model, theirs)}) is found
