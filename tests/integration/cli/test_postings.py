"""The pre-posting check on the command line: files in two forms, exit codes, documents, and what the guide shows."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from mdm.errors import ConfigurationInvalid, Invalid
from mdm.model.ids import CrosswalkKey, Domain
from tests.api.rows import ACME, HubRows
from tests.integration.cli.conftest import Command, printed
from tests.pages import take

_COMMANDS = take("erp", "mdm")
(_CSV,) = take("erp", "csv")
_PARTNER = CrosswalkKey("erp", "business_partner", "0001000001")
_ITEM = CrosswalkKey("erp", "item", "ATLFOREV2")
_PRODUCT = {"name": "Atlas Forecast", "code": "ATLFOREV2", "unit": "call", "revenue_account": "4100", "tax_code": "S1"}
_HEADER = "reference,company_code,posting_date,currency,partner,account,product,amount"
_ROW = "JE1,1000,2025-05-10,EUR,0001000001,4100,ATLFOREV2,"


@pytest.fixture
def booked(engine: Engine) -> str:
    """A customer with a partner in ERP, and an item that is sold; the customer's id."""
    rows = HubRows(engine)
    rows.golden(Domain.PRODUCT, _ITEM, _PRODUCT)
    return rows.golden(Domain.CUSTOMER, _PARTNER, ACME | {"tax_classification": "eu_reverse_charge", "validated": True})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "postings.csv"


def posting(**differs: Any) -> dict[str, Any]:
    return {
        "reference": "JE1", "company_code": "1000", "posting_date": "2025-05-10", "currency": "EUR",
        "partner": _PARTNER.key, "lines": [{"account": "4100", "product": _ITEM.key}],
    } | differs  # fmt: skip


def told(result: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(each["reference"], [reason["code"] for reason in each["reasons"]]) for each in result["postings"]]


def test_what_the_guide_shows_works(mdm: Command, booked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("postings.csv").write_text(_CSV)
    Path("postings.json").write_text(json.dumps({"postings": [posting()]}))
    assert len(_COMMANDS) == 3

    for command in _COMMANDS:
        result = mdm(*shlex.split(command)[1:])
        assert result.exit_code == 0, (command, result.output)


def test_a_blocked_posting_ends_the_command_with_1(mdm: Command, booked: str, file: Path) -> None:
    file.write_text(f"{_HEADER}\n{_ROW}\nJE2,1000,2025-05-10,TRY,0001000001,4100,ATLFOREV2,\n")

    result = mdm("postings", "validate", file, "--json")
    shown = mdm("postings", "validate", file)

    assert (result.exit_code, shown.exit_code) == (1, 1)
    assert told(printed(result)) == [("JE1", []), ("JE2", ["CURRENCY_NOT_MAINTAINED"])]
    assert printed(result)["postings"][0]["customer"] == booked
    assert "1 of 2 postings may be made." in shown.stdout
    assert "finance-accounting" in shown.stdout


def test_rows_of_one_reference_are_one_posting_as_erp_exports_them(mdm: Command, booked: str, file: Path) -> None:
    file.write_text(
        "\ufeffjournal_entry,line_no,company_code,bp_number,invoice_ref,gl_account,item_code,amount,currency,posting_date,"
        "status,reject_reason,created_at\r\n"
        "JE1,1,1000,0001000001,INV-1,1200,,100.00,EUR,2025-05-10,draft,,\r\n"
        "JE2,1,1000,0001000001,INV-2,1200,,100.00,EUR,2025-05-10,draft,,\r\n"
        "JE1,2,1000,0001000001,INV-1,4100,ATLFOREV2,-100.00,EUR,2025-05-10,draft,,\r\n"
        "JE2,2,1000,0001000001,INV-2,4100,ATLFOREV2,-99.00,EUR,2025-05-10,draft,,\r\n"
    )

    assert told(printed(mdm("postings", "validate", file, "--json"))) == [("JE1", []), ("JE2", ["ENTRY_UNBALANCED"])]


def test_a_file_of_more_than_the_api_takes_is_judged_in_parts(mdm: Command, booked: str, file: Path) -> None:
    rows = [_ROW.replace("JE1", f"JE{number}") for number in range(601)]
    # Spreadsheets of many countries write semicolons.
    file.write_text("\n".join([_HEADER, *rows, ""]).replace(",", ";"))

    found = printed(mdm("postings", "validate", file, "--json"))

    assert (found["passed"], found["blocked"]) == (601, 0)
    assert [each["reference"] for each in found["postings"]] == [f"JE{number}" for number in range(601)]


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "line 1: there is no column reference"),
        ("reference,currency,currency\n", "line 1: the column currency stands there twice"),
        ("reference,journal_entry\n", "line 1: the column reference stands there twice"),
        ("reference,acount\n", "line 1: no column 'acount' is known"),
        (f"{_HEADER}\n", "holds no posting"),
        (f"{_HEADER}\nJE1,1000\n", "line 2: 2 cells, and there are 8 columns"),
        (f"{_HEADER}\n,{_ROW[4:]}\n", "line 2: the row has no reference"),
        (f"{_HEADER}\n{_ROW}\n{_ROW.replace('EUR', 'USD')}\n", "line 3: JE1 has another currency above"),
        (f"{_HEADER}\n{_ROW}\n\n{_ROW.replace('JE1', 'JE2')}one\n", "line 4: lines/0/amount"),
        (f"{_HEADER}\n{_ROW.replace('2025-05-10', '10/05/2025')}\n", "line 2: posting_date: "),
        (f'{_HEADER}\n"{_ROW}\n', "line 2: unexpected end of data"),
    ],
)
def test_a_fault_of_a_csv_file_is_told_with_its_line(mdm: Command, file: Path, written: str, says: str) -> None:
    file.write_text(written)

    with pytest.raises(Invalid) as fault:
        mdm("postings", "validate", file)

    assert str(file) in fault.value.message
    assert says in fault.value.message
    assert fault.value.advice


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (b"", "is no JSON"),
        (b"\xff\xfe", "cannot be read"),
        (b"[" * 100_000, "is no JSON"),
        (b"7", "neither a list of postings"),
        (b'{"postings": [], "force": true}', "neither a list of postings"),
        (b"[]", "holds no posting"),
        (b"[7]", "posting 1: posting: "),
        (json.dumps([posting(), posting(lines=[])]).encode(), "posting 2: lines: "),
        (json.dumps([posting(lines=[{"acount": "1"}])]).encode(), "posting 1: lines/0/acount: "),
        (json.dumps([posting(force=True)]).encode(), "posting 1: force: "),
    ],
)
def test_a_fault_of_a_json_file_is_told_with_its_posting(
    mdm: Command, tmp_path: Path, written: bytes, says: str
) -> None:
    file = tmp_path / "postings.json"
    file.write_bytes(written)

    with pytest.raises(Invalid) as fault:
        mdm("postings", "validate", file)

    assert says in fault.value.message


def test_the_lint_reads_what_the_settings_name(mdm: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = tmp_path / "accounts.yaml"
    accounts.write_text(
        'version: "5"\ncompanies:\n  - code: "2000"\n    country: "NL"\n    currencies: ["EUR"]\n    accounts:\n'
        '      - {number: "1200", kind: receivable}\n'
    )
    monkeypatch.setenv("MDM_ACCOUNTS", str(accounts))

    result = mdm("postings", "lint", "--json")
    assert result.exit_code == 1, "nothing can be sold from a company code without tax codes"
    assert (printed(result)["accounts"]["companies"], printed(result)["untaxed"]) == (["2000"], ["2000"])
    assert "Company code 2000 is in NL" in mdm("postings", "lint").stdout
    accounts.write_text(accounts.read_text().replace("receivable", "debtors"))
    with pytest.raises(ConfigurationInvalid, match=r"accounts\.yaml, line 7: kind must be one of"):
        mdm("postings", "lint")
    monkeypatch.delenv("MDM_ACCOUNTS")
    assert mdm("postings", "lint").exit_code == 0
    with pytest.raises(ConfigurationInvalid, match="cannot be read"):
        mdm("postings", "lint", "--tax-codes", tmp_path / "none.yaml")


def test_the_released_mapping_decides_on_which_account_revenue_is_booked(
    mdm: Command, booked: str, file: Path, tmp_path: Path
) -> None:
    file.write_text(f"{_HEADER}\n{_ROW.replace('4100', '4010')}\n")
    mapping = tmp_path / "mapping.yaml"
    shipped = mdm("releases", "document", "usage-revenue", "product").stdout
    row = '  - {unit: call, metric: calls, charged: metered, account: "4010", products: [ATLFOREV2]}\n'
    mapping.write_text(shipped.replace('version: "1.0.0"', 'version: "1.1.0"') + row)
    draft = ("releases", "draft", "usage-revenue", "product", mapping, "--title", "Calls", "--actor", "anna", "--json")
    before = printed(mdm("postings", "validate", file, "--json"))

    number = printed(mdm(*draft))["release_id"]
    mdm("releases", "simulate", number, "--actor", "anna")
    mdm("releases", "approve", number, "--actor", "ben")
    mdm("releases", "activate", number, "--actor", "clara")
    after = printed(mdm("postings", "validate", file, "--json"))

    assert (before["documents"]["usage_revenue"]["version"], told(before)) == ("1.0.0", [("JE1", ["ACCOUNT_DIFFERS"])])
    assert (after["documents"]["usage_revenue"]["version"], told(after)) == ("1.1.0", [("JE1", ["ACCOUNT_UNMAPPED"])])
    assert "ERP holds another revenue account" in after["postings"][0]["reasons"][0]["message"]
