"""The chart of accounts and the tax codes: what ships, and what is refused with its line."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from mdm.errors import ConfigurationInvalid
from mdm.lifecycle.accounts import AccountKind, read_accounts, shipped_accounts
from mdm.lifecycle.declared import Span
from mdm.lifecycle.tax_codes import codes_on, read_tax_codes, shipped_tax_codes

_CHART = """version: "1"
companies:
  - code: "1000"
    country: "DE"
    currencies: ["EUR"]
    accounts:
      - {number: "4000", kind: revenue}
"""
_TAXES = """version: "1"
rows:
  - {country: "DE", category: domestic, code: "S1"}
"""


@pytest.mark.parametrize(
    ("was", "becomes", "line", "says"),
    [
        ('"1000"', "1000", 3, "code must stand in quotation marks"),
        ('"1000"', '"10 00"', 3, "code must be letters, digits"),
        ('"DE"', "NO", 4, "country must stand in quotation marks"),
        ('"DE"', '"Germany"', 4, "country must be a country of two capital letters"),
        ('["EUR"]', "[]", 5, "currencies must be a list, and not an empty one"),
        ('["EUR"]', '["EUR", "EUR"]', 5, "currency EUR stands here already"),
        ('["EUR"]', '["eur"]', 5, "three capital letters"),
        ('["EUR"]', '[{code: "EUR", from: 2025-02-30}]', 5, "from must be a day of the calendar"),
        ('["EUR"]', '[{code: "EUR", from: 2025-02-01, to: 2025-01-31}]', 5, "to must not be before from"),
        ('["EUR"]', '[{code: "EUR", until: 2025-02-01}]', 5, "until is not known here"),
        ("revenue", "income", 7, "kind must be one of receivable, revenue, tax, other"),
        ('"4000"', "4000", 7, "number must stand in quotation marks"),
        ("kind: revenue", "name: Sales", 7, "an account must have kind"),
        ('    accounts:\n      - {number: "4000", kind: revenue}\n', "", 3, "a company code must have accounts"),
        ('version: "1"\n', "", 1, "the document must have version"),
        ('    country: "DE"\n', '    country: "DE"\n    country: "NL"\n', 5, "country stands here twice"),
        ('    country: "DE"\n', '    country: "DE"\n    legal_entity: "DE 01"\n', 5, "a label of a placement"),
    ],
)
def test_a_fault_in_the_chart_is_told_with_its_line(was: str, becomes: str, line: int, says: str) -> None:
    assert was in _CHART
    with pytest.raises(ConfigurationInvalid) as told:
        read_accounts(_CHART.replace(was, becomes, 1), "chart.yaml")

    assert told.value.message.startswith(f"chart.yaml, line {line}: ")
    assert says in told.value.message
    assert "mdm postings lint" in str(told.value.advice)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('{number: "4000", kind: revenue, from: 2025-01-01}', "both hold on the same days"),
        ('{number: "4000", kind: tax}', "account 4000 is of the kind revenue above"),
    ],
)
def test_an_account_says_one_thing_on_one_day(row: str, says: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="line 8: ") as told:
        read_accounts(f"{_CHART}      - {row}\n")

    assert says in told.value.message


def test_a_company_code_stands_once() -> None:
    with pytest.raises(ConfigurationInvalid, match="line 8: company code 1000 stands here already"):
        read_accounts(_CHART + _CHART.partition("companies:\n")[2])


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ("domestic", "null", "category must be a text"),
        ('"S1"', "1", "code must stand in quotation marks"),
        ('code: "S1"', 'code: "S1", customers: ["DE"], but_not: ["FR"]', "customers or but_not, not both"),
        ('code: "S1"', 'code: "S1", customers: [NO]', "customers must stand in quotation marks"),
        ('code: "S1"', 'code: "S1", customers: "DE"', "customers must be a list"),
        ('code: "S1"', 'code: "S1", rate: 19', "rate is not known here"),
        (', code: "S1"', "", "a row must have code"),
        ('code: "S1"', 'code: "S1", to: soon', "to must be a day of the calendar"),
    ],
)
def test_a_fault_in_the_tax_codes_is_told_with_its_line(was: str, becomes: str, says: str) -> None:
    assert was in _TAXES
    with pytest.raises(ConfigurationInvalid) as told:
        read_tax_codes(_TAXES.replace(was, becomes, 1), "taxes.yaml")

    assert told.value.message.startswith("taxes.yaml, line 3: ")
    assert says in told.value.message


def test_the_same_row_holds_once_on_a_day() -> None:
    row = '  - {country: "DE", category: domestic, code: "S1", from: 2025-01-01}\n'
    with pytest.raises(ConfigurationInvalid, match="line 4: this row stands here already"):
        read_tax_codes(_TAXES + row)


@pytest.mark.parametrize("read", [read_accounts, read_tax_codes])
@pytest.mark.parametrize(
    "text", ["", "[]", "hello", "a: [", "version: 1\nrows: 7\ncompanies: 7\n", "&a [*a]", "[" * 5000, "\x00"]
)
def test_what_is_no_such_document_is_refused(read: Callable[[str], Any], text: str) -> None:
    with pytest.raises(ConfigurationInvalid):
        read(text)


def test_a_fingerprint_is_of_what_a_document_says() -> None:
    chart, taxes = read_accounts(_CHART), read_tax_codes(_TAXES)

    assert read_accounts(f"# a remark\n{_CHART}").fingerprint == chart.fingerprint
    assert read_accounts(_CHART.replace("4000", "4001")).fingerprint != chart.fingerprint
    assert read_tax_codes(_TAXES.replace('code: "S1"', 'code: "S1", from: 2025-01-01')).fingerprint != taxes.fingerprint


def test_what_ships_is_of_the_sample_company() -> None:
    company = shipped_accounts().companies["1000"]
    taxes = shipped_tax_codes()

    assert {each.number for each in company.accounts.values() if each.kind is AccountKind.REVENUE} == {
        "4000", "4010", "4020", "4100",
    }  # fmt: skip
    day = date(2025, 3, 1)
    sales = [
        ("domestic", "DE", "S2"),
        ("eu_reverse_charge", "FR", "S2"),
        ("export", "US", "S2"),
        ("export", "FR", "S2"),
    ]
    assert [codes_on(taxes.rows_for("DE", *sale), day) for sale in sales] == [("S2",), ("RC",), ("EX",), ()]


def test_spans_include_their_ends() -> None:
    may = Span(date(2025, 5, 1), date(2025, 5, 31))

    assert [may.covers(date(2025, *day)) for day in ((4, 30), (5, 1), (5, 31), (6, 1))] == [False, True, True, False]
    assert may.meets(Span(date(2025, 5, 31), None))
    assert not may.meets(Span(date(2025, 6, 1), None))
    assert not may.meets(Span(None, date(2025, 4, 30)))
    assert Span().meets(may)
