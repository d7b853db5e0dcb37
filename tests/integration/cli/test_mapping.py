"""The mapping of use and revenue on the command line: what it covers, and how a release of it mends that."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from mdm.errors import Conflict, Invalid, NotFound
from mdm.model.ids import CrosswalkKey, Domain
from tests.api.rows import ACME, HubRows
from tests.integration.cli.conftest import Command, printed

_CUSTOMER = CrosswalkKey("billing", "customer", "B1")
_GATE, _SEATS, _OLD = (CrosswalkKey("billing", "product", key) for key in ("gate", "seats", "old"))
_ROW = '  - {unit: request, metric: metered requests, charged: metered, account: "4010", products: [KIT-GATE]}\n'


@pytest.fixture
def sold(engine: Engine) -> HubRows:
    """A running subscription to two products and one that has ended: one unit is in no mapping, one product unsold."""
    rows = HubRows(engine)
    rows.golden(Domain.CUSTOMER, _CUSTOMER, ACME)
    for key, values in (
        (_GATE, {"name": "Kite Gateway", "code": "KIT-GATE", "unit": "request", "metered": True}),
        (_SEATS, {"name": "Kite Seats", "code": "KIT-SEAT", "unit": "seat", "revenue_account": "4020"}),
        (_OLD, {"name": "Kite Old", "code": "KIT-OLD"}),
    ):
        rows.golden(Domain.PRODUCT, key, values)
    for name, products, status in (("S1", (_GATE, _SEATS), "active"), ("S2", (_OLD,), "cancelled")):
        lines = [{"product": each._asdict(), "quantity": "1"} for each in products]
        values = {"number": name, "customer": _CUSTOMER._asdict(), "status": status, "lines": lines}
        rows.golden(
            Domain.CONTRACT, CrosswalkKey("billing", "subscription", name), values, references=[("customer", _CUSTOMER)]
        )
    return rows


def missing(told: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(each["code"], each["step"], each["owner"]) for each in told["missing"]]


def test_what_is_missing_is_listed_with_its_owner_and_fails(mdm: Command, sold: HubRows) -> None:
    result = mdm("mapping", "coverage", "usage-revenue", "--min", "1.0", "--json")
    told = printed(result)

    assert result.exit_code == 1
    assert (told["active"], told["mapped"], told["share"], told["passed"]) == (2, 1, 0.5, False)
    assert missing(told) == [
        ("KIT-GATE", "billing_metric", "revenue-operations"),
        ("KIT-GATE", "revenue_account", "finance-master-data"),
    ]
    assert mdm("mapping", "coverage", "usage-revenue", "--min", "0.5").exit_code == 0
    shown = mdm("mapping", "coverage", "usage-revenue")
    assert shown.exit_code == 1
    assert "1 of 2 active products mapped (50.0%" in shown.stdout
    assert "KIT-GATE" in shown.stdout
    assert "finance-master-data 1, revenue-operations 1" in shown.stdout


def test_the_same_is_a_finding_of_its_owner(mdm: Command, sold: HubRows) -> None:
    found = printed(mdm("reconcile", "--rule", "revenue_account_missing", "--json"))["findings"]

    assert [(each["owner"], each["facts"][0]["key"]) for each in found] == [("finance-master-data", "gate")]


def test_an_empty_hub_lacks_nothing_and_has_no_share(mdm: Command) -> None:
    result = mdm("mapping", "coverage", "usage-revenue", "--json")

    assert result.exit_code == 0
    assert (printed(result)["share"], printed(result)["active"]) == (None, 0)
    assert "nothing to map" in mdm("mapping", "coverage", "usage-revenue").stdout


def test_a_release_of_the_mapping_goes_through_three_hands_and_back(
    mdm: Command, sold: HubRows, tmp_path: Path
) -> None:
    before = printed(mdm("state", "digest", "--json"))["state"]
    shipped = mdm("releases", "document", "usage-revenue", "product").stdout
    file = tmp_path / "mapping.yaml"
    file.write_text(shipped.replace('version: "1.0.0"', 'version: "1.1.0"') + _ROW)
    draft = ("releases", "draft", "usage-revenue", "product", file, "--title", "Requests", "--actor", "anna", "--json")

    assert printed(mdm("releases", "check", "usage-revenue", "product", file, "--json"))["version"] == "1.1.0"
    number = printed(mdm(*draft))["release_id"]
    report = printed(mdm("releases", "simulate", number, "--actor", "anna", "--json"))["report"]
    assert (report["entities"], report["mapped_before"], report["mapped"], report["newly_mapped"]) == (2, 1, 2, 1)
    assert printed(mdm("mapping", "show", "usage-revenue", "--json"))["version"] == "1.0.0", "only simulated"
    mdm("releases", "approve", number, "--actor", "ben")
    done = printed(mdm("releases", "activate", number, "--actor", "clara", "--json"))

    assert (done["release"]["status"], done["run"]["report"]) == ("active", report)
    assert mdm("mapping", "coverage", "usage-revenue").exit_code == 0
    assert printed(mdm("reconcile", "--rule", "revenue_account_missing", "--json"))["findings"] == []
    told = printed(mdm("mapping", "show", "usage-revenue", "--json"))
    assert (told["version"], told["release"], [each["status"] for each in told["versions"]]) == (
        "1.1.0", number, ["active"],
    )  # fmt: skip
    ways = {each["code"]: (each["unit"], each["metric"], each["account"]) for each in told["products"]}
    assert ways == {
        "KIT-GATE": ("request", "metered requests", "4010"),
        "KIT-SEAT": ("seat", "licensed seats", "4020"),
    }
    assert "version 1.1.0" in mdm("mapping", "show", "usage-revenue").stdout
    with pytest.raises(Conflict, match="in force already"):
        mdm(*draft)

    back = printed(
        mdm("releases", "roll-back", number, "--reason", "too early", "--actor", "clara", "--json")
    )  # fmt: skip

    assert (back["same_state"], back["run"]["report"]["no_longer_mapped"]) == (True, 1)
    assert printed(mdm("state", "digest", "--json"))["state"] == before
    assert mdm("mapping", "coverage", "usage-revenue").exit_code == 1
    assert printed(mdm("mapping", "show", "usage-revenue", "--json"))["release"] is None


def test_a_faulty_mapping_and_one_of_another_domain_are_refused(mdm: Command, sold: HubRows, tmp_path: Path) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_text(mdm("releases", "document", "usage-revenue", "product").stdout + _ROW + _ROW)
    title = ("--title", "Requests", "--actor", "anna")

    with pytest.raises(Invalid, match="line 16: product kitgate has a row already"):
        mdm("releases", "draft", "usage-revenue", "product", file, *title)
    with pytest.raises(Invalid, match="no usage-revenue of customers"):
        mdm("releases", "draft", "usage-revenue", "customer", file, *title)


def test_what_columns_are_read_for_is_told_by_table_and_column(mdm: Command) -> None:
    tables = {f"{each['system']}.{each['table']}": each for each in printed(mdm("mapping", "columns", "--json"))}

    assert tables["product.usage_batch"]["unmapped"] == []
    assert "account_source" in tables["crm.account"]["unmapped"]
    assert tables["crm.account"]["mapped"] + len(tables["crm.account"]["unmapped"]) == 28
    listed = mdm("mapping", "columns").stdout
    assert all(name in listed for name in tables)
    one = mdm("mapping", "columns", "billing.customer").stdout
    assert "attribute segment metadata.segment" in one
    assert "claim same metadata.crm_account_id -> crm.account#id15" in one


def test_a_table_that_is_none_is_told(mdm: Command) -> None:
    with pytest.raises(NotFound, match=r"no table crm\.nobody") as refused:
        mdm("mapping", "columns", "crm.nobody")

    assert "`mdm mapping columns` lists all" in refused.value.advice
