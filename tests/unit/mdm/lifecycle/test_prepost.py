"""The pre-posting check: each reason by a posting that has only this fault, and what must pass."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from mdm.access.scope import EVERYWHERE, UNASSIGNED
from mdm.lifecycle.accounts import read_accounts
from mdm.lifecycle.prepost import (
    Documents,
    Known,
    KnownCustomer,
    KnownProduct,
    PlannedLine,
    PlannedPosting,
    judge,
    reason_codes,
    untaxed_companies,
)
from mdm.lifecycle.tax_codes import read_tax_codes
from mdm.model.ids import Domain, EntityId

_ACME, _OTHER, _GATE, _SEAT = (EntityId(each) for each in ("cus_acme", "cus_other", "prd_gate", "prd_seat"))
_ACCOUNTS = """
version: "2"
companies:
  - code: "1000"
    country: "DE"
    legal_entity: "DE01"
    currencies: ["EUR", {code: "TRY", from: 2025-01-01, to: 2025-12-31}]
    accounts:
      - {number: "1200", kind: receivable}
      - {number: "3806", kind: tax}
      - {number: "4000", kind: revenue}
      - {number: "4010", kind: revenue, to: 2025-06-30}
      - {number: "4010", kind: revenue, from: 2025-09-01}
"""
_TAX_CODES = """
version: "3"
rows:
  - {country: "DE", category: domestic, customers: ["DE"], products: ["S1"], code: "A1", to: 2025-06-30}
  - {country: "DE", category: domestic, customers: ["DE"], products: ["S1"], code: "A2", from: 2025-07-01}
  - {country: "DE", category: export, but_not: ["DE"], code: "X0"}
  - {country: "DE", category: split, code: "P1"}
  - {country: "DE", category: split, code: "P2"}
"""
DOCUMENTS = Documents(read_accounts(_ACCOUNTS), read_tax_codes(_TAX_CODES))
CUSTOMER = KnownCustomer(_ACME, blocked=False, approved=True, in_erp=True, country="DE", tax_category="domestic")
GATE = KnownProduct(_GATE, account="4000", lacks="", tax_code="S1")
KNOWN = Known(
    partners={"BP1": (_ACME,), "BP2": (_ACME, _OTHER)},
    items={"GATE": (_GATE,), "TWICE": (_GATE, _SEAT)},
    ids={"cus_acme": _ACME, "cus_old": _ACME, "cus_other": _OTHER},
    gone=frozenset({"BP9"}),
    gone_items=frozenset({"OLD"}),
    customers={_ACME: CUSTOMER},
    products={_GATE: GATE},
    closed=frozenset({"2025-01"}),
)
RECEIVABLE = PlannedLine(account="1200", amount=Decimal("119"))
TAX = PlannedLine(account="3806", amount=Decimal("-19"))
SOLD = PlannedLine(account="4000", product="GATE", amount=Decimal("-100"))
POSTING = PlannedPosting("JE1", "1000", date(2025, 3, 14), "EUR", (RECEIVABLE, SOLD, TAX), partner="BP1")


def told(posting: PlannedPosting, known: Known = KNOWN) -> list[tuple[str, str]]:
    """Codes with the places that they are about."""
    return [(each.code, each.path) for each in judge(posting, known, DOCUMENTS).reasons]


def of(**differs: Any) -> Known:
    """The hub, where the customer differs."""
    return replace(KNOWN, customers={_ACME: replace(CUSTOMER, **differs)})


def sells(**differs: Any) -> Known:
    """The hub, where the product differs."""
    return replace(KNOWN, products={_GATE: replace(GATE, **differs)})


def line(**differs: Any) -> PlannedPosting:
    """The posting, where the line that sells differs."""
    return replace(POSTING, lines=(RECEIVABLE, replace(SOLD, **differs), TAX))


@pytest.mark.parametrize(
    "posting",
    [
        POSTING,
        replace(POSTING, partner=None, customer="cus_acme"),
        replace(POSTING, customer="cus_acme"),
        replace(POSTING, customer="cus_old"),
        replace(POSTING, partner="BP2", customer="cus_acme"),
        replace(POSTING, currency="TRY"),
        line(account=None),
        line(tax_code="A1"),
        replace(line(tax_code="A2"), posting_date=date(2025, 7, 1)),
        replace(POSTING, lines=(replace(RECEIVABLE, amount=Decimal("100.00")), SOLD)),
        replace(POSTING, lines=(replace(RECEIVABLE, amount=None), SOLD, TAX)),
        replace(POSTING, lines=(replace(RECEIVABLE, product="GATE"), SOLD, replace(TAX, tax_code="A1"))),
    ],
    ids=["plain", "by its id", "both", "a merged id", "the id settles who is meant", "a currency of this year",
         "the account of the mapping", "a tax code", "the tax code of July", "two lines",
         "not all amounts", "an item on a receivable"],
)  # fmt: skip
def test_what_erp_would_take_passes(posting: PlannedPosting) -> None:
    judged = judge(posting, KNOWN, DOCUMENTS)

    assert judged.reasons == ()
    assert judged.customer == _ACME
    assert judged.passes


@pytest.mark.parametrize(
    ("code", "path", "posting"),
    [
        ("COMPANY_UNKNOWN", "/company_code", replace(POSTING, company_code="2000")),
        ("PERIOD_CLOSED", "/posting_date", replace(POSTING, posting_date=date(2025, 1, 31))),
        ("CURRENCY_NOT_MAINTAINED", "/currency", replace(POSTING, currency="USD")),
        ("CURRENCY_NOT_MAINTAINED", "/currency", replace(POSTING, currency="TRY", posting_date=date(2024, 12, 31))),
        ("ENTRY_UNBALANCED", "/lines", line(amount=Decimal("-100.01"))),
        ("PARTNER_NOT_STATED", "/partner", replace(POSTING, partner=None)),
        ("PARTNER_UNKNOWN", "/partner", replace(POSTING, partner="BP7")),
        ("PARTNER_UNKNOWN", "/customer", replace(POSTING, customer="cus_nobody")),
        ("PARTNER_GONE", "/partner", replace(POSTING, partner="BP9")),
        ("PARTNER_GONE", "/customer", replace(POSTING, partner=None, customer="cus_other")),
        ("PARTNER_AMBIGUOUS", "/partner", replace(POSTING, partner="BP2")),
        ("PARTNER_DIFFERS", "/customer", replace(POSTING, customer="cus_other")),
        ("ACCOUNT_NOT_DEFINED", "/lines/0/account", replace(POSTING, lines=(PlannedLine(account="1201"),))),
        ("ACCOUNT_NOT_STATED", "/lines/0/account", replace(POSTING, lines=(PlannedLine(),))),
        ("ACCOUNT_DIFFERS", "/lines/1/account", line(account="4010")),
        ("PRODUCT_NOT_STATED", "/lines/1/product", line(product=None)),
        ("PRODUCT_UNKNOWN", "/lines/1/product", line(product="NONE")),
        ("PRODUCT_UNKNOWN", "/lines/1/product", line(product="OLD")),
        ("PRODUCT_UNKNOWN", "/lines/1/product", line(product="TWICE")),
        ("TAX_CODE_DIFFERS", "/lines/1/tax_code", line(tax_code="A2")),
        ("TAX_CODE_DIFFERS", "/lines/2/tax_code",
         replace(POSTING, lines=(RECEIVABLE, SOLD, replace(TAX, tax_code="X0")))),
    ],
)  # fmt: skip
def test_one_fault_of_a_posting_is_one_reason(code: str, path: str, posting: PlannedPosting) -> None:
    assert told(posting) == [(code, path)]


@pytest.mark.parametrize(
    ("code", "path", "known"),
    [
        ("PARTNER_MISSING", "/partner", of(in_erp=False)),
        ("PARTNER_NOT_APPROVED", "/partner", of(approved=False)),
        ("PARTNER_BLOCKED", "/partner", of(blocked=True)),
        ("COMPANY_NOT_OPENED", "/company_code", of(legal_entities=frozenset({"NL01", "FR01"}))),
        ("ACCOUNT_UNMAPPED", "/lines/1/account", sells(account=None, lacks="neither says it")),
        ("ACCOUNT_DIFFERS", "/lines/1/account", sells(account="4010")),
        ("TAX_CATEGORY_MISSING", "/partner", of(tax_category=None)),
        ("TAX_CODE_MISSING", "/lines/1/tax_code", of(country="FR")),
        ("TAX_CODE_MISSING", "/lines/1/tax_code", of(tax_category="export")),
        ("TAX_CODE_MISSING", "/lines/1/tax_code", of(tax_category="export", country=None)),
        ("TAX_CODE_MISSING", "/lines/1/tax_code", sells(tax_code="S7")),
        ("TAX_CODE_MISSING", "/lines/1/tax_code", of(tax_category="split")),
    ],
)
def test_one_fault_of_what_is_known_is_one_reason(code: str, path: str, known: Known) -> None:
    assert told(POSTING, known) == [(code, path)]


@pytest.mark.parametrize("labels", [set(), {UNASSIGNED}, {EVERYWHERE}, {"DE01", "NL01"}])
def test_where_placement_names_no_other_legal_entity_the_company_is_open(labels: set[str]) -> None:
    assert told(POSTING, of(legal_entities=frozenset(labels))) == []


def test_an_account_is_held_against_the_days_on_which_it_is_open() -> None:
    known = sells(account="4010")
    by_day = {
        day: [each.message for each in judge(replace(line(account="4010"), posting_date=day), known, DOCUMENTS).reasons]
        for day in (date(2025, 6, 30), date(2025, 7, 1), date(2025, 8, 31), date(2025, 9, 1))
    }

    assert [len(each) for each in by_day.values()] == [0, 1, 1, 0]
    assert by_day[date(2025, 7, 1)] == [
        "Account 4010 is not defined in company code 1000 on 2025-07-01; it is open to 2025-06-30 and from 2025-09-01."
    ]


def test_a_tax_code_of_other_days_is_told_with_them() -> None:
    rows = _TAX_CODES.replace("from: 2025-07-01", "from: 2025-08-01")
    documents = replace(DOCUMENTS, tax_codes=read_tax_codes(rows))

    (reason,) = judge(replace(POSTING, posting_date=date(2025, 7, 14)), KNOWN, documents).reasons

    assert reason.code == "TAX_CODE_MISSING"
    assert reason.message.endswith("; one does to 2025-06-30 and from 2025-08-01.")


def test_everything_that_is_wrong_is_told_at_once_and_the_tax_category_once() -> None:
    known = replace(of(blocked=True, tax_category=None), closed=frozenset({"2025-03"}))
    posting = replace(POSTING, currency="USD", lines=(SOLD, replace(SOLD, account="4010"), SOLD))

    assert [code for code, _ in told(posting, known)] == [
        "PERIOD_CLOSED", "ENTRY_UNBALANCED", "CURRENCY_NOT_MAINTAINED", "PARTNER_BLOCKED", "TAX_CATEGORY_MISSING",
        "ACCOUNT_DIFFERS",
    ]  # fmt: skip


def test_sentences_about_protected_values_say_so() -> None:
    about = {
        reason.code: {(str(domain), name) for domain, name in reason.about}
        for known in (of(tax_category="export"), of(tax_category=None), sells(account="4010"), of(blocked=True))
        for reason in judge(POSTING, known, DOCUMENTS).reasons
    }

    assert about == {
        "TAX_CODE_MISSING": {("customer", "tax_classification"), ("product", "tax_code")},
        "TAX_CATEGORY_MISSING": {("customer", "tax_classification")},
        "ACCOUNT_DIFFERS": {("product", "revenue_account")},
        "PARTNER_BLOCKED": {("customer", "blocked")},
    }
    (unopened,) = judge(line(account=None), sells(account="4999"), DOCUMENTS).reasons
    assert (unopened.code, unopened.about) == ("ACCOUNT_NOT_DEFINED", ((Domain.PRODUCT, "revenue_account"),))


def test_every_code_is_in_the_catalogue_and_in_the_guide() -> None:
    source = (files("mdm.lifecycle") / "prepost.py").read_text("utf-8")
    raised = set(re.findall(r'(?:Reason\(|code=)"([A-Z_]+)"', source))
    guide = (Path(__file__).parents[4] / "docs" / "erp.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*) \|$", guide, re.M))

    assert raised == set(reason_codes())
    for code, each in reason_codes().items():
        assert rows.get(code) == f"{each.means} | {each.owner} | {each.action}", code


def test_a_company_code_without_tax_codes_is_told() -> None:
    elsewhere = read_accounts(_ACCOUNTS.replace('"DE"\n', '"NL"\n'))

    assert untaxed_companies(DOCUMENTS) == ()
    assert untaxed_companies(replace(DOCUMENTS, accounts=elsewhere)) == ("1000",)
