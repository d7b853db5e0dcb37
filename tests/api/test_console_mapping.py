"""Mapping on the console: what each column is read for, what fills each attribute, whether use leads to revenue."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.deps import Released
from mdm.intake.catalogue import SHIPPED_SOURCES, load_catalogue
from mdm.intake.column_coverage import column_coverage
from mdm.model.canonical import ATTRIBUTES
from mdm.model.ids import Domain
from tests.api.test_console_scorecard import added_up

PAGE = "/console/mapping"


def words(page: str) -> str:
    """A page without its signs, as it is read."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_every_table_says_how_many_of_its_columns_are_read(steward: TestClient) -> None:
    page = steward.get(PAGE).text

    for each in map(column_coverage, load_catalogue(None).profiles):
        row = words(page.partition(f'href="{PAGE}/{each.system}/{each.table}"')[2].partition("</tr>")[0])
        assert f"{len(each.columns)}{each.mapped}" in row.replace(" ", ""), (each.system, each.table)
        assert all(name in row for name in each.unmapped)
    assert "every column is read" in page


def test_a_table_says_of_each_column_what_it_is_read_for(steward: TestClient) -> None:
    page = steward.get(f"{PAGE}/billing/customer").text

    def row(column: str) -> str:
        return words(page.partition(f'class="code">{column}</th>')[2].partition("</tr>")[0])

    assert "key of the row" in row("id")
    assert "Name read as organisation name" in row("name")
    assert "Country" in row("address_country")
    assert "Address" in row("address_country")
    assert "metadata.segment" in row("metadata")
    assert "claim → crm.account#id15" in row("metadata")
    assert "nothing reads it" in row("balance")
    assert f'href="{PAGE}/billing/customer"' in steward.get("/console/schemas/billing/customer").text


def test_only_what_nothing_reads_is_shown_when_asked_for(steward: TestClient) -> None:
    page = steward.get(f"{PAGE}/crm/account?gaps=yes").text

    profile = load_catalogue(None).profile("crm", "account")
    assert profile is not None
    assert tuple(re.findall(r'class="code">([a-z_]+)</th>', page)) == column_coverage(profile).unmapped
    assert "Every column is read" in steward.get(f"{PAGE}/product/usage_batch?gaps=yes").text


@pytest.mark.parametrize("domain", list(Domain))
def test_every_attribute_stands_there_with_the_columns_that_fill_it(steward: TestClient, domain: Domain) -> None:
    page = steward.get(f"{PAGE}/attributes?domain={domain}").text

    for attribute in ATTRIBUTES[domain]:
        assert attribute.definition.replace("'", "&#39;") in page


def test_an_attribute_that_no_column_fills_is_a_gap(steward: TestClient) -> None:
    whole, gaps = (steward.get(f"{PAGE}/attributes?domain=product{more}").text for more in ("", "&gaps=yes"))

    assert "No column fills other codes." in whole
    assert gaps.count("<tr data-item") == 1
    assert "No gap here" in steward.get(f"{PAGE}/attributes?gaps=yes").text


def test_use_that_nobody_sells_leaves_nothing_to_map(steward: TestClient) -> None:
    page = added_up(steward, f"{PAGE}/revenue")

    assert "Nothing is sold or used yet" in page


def test_a_table_that_nobody_knows_is_not_found(steward: TestClient) -> None:
    answer = steward.get(f"{PAGE}/crm/nobody")

    assert (answer.status_code, "No contract describes crm.nobody." in answer.text) == (404, True)


class TestWithoutMapping:
    """A platform that has a contract and no mapping yet."""

    @pytest.fixture
    def released(self, app: FastAPI, tmp_path: Path) -> Iterator[None]:
        (tmp_path / "crm").mkdir()
        document = SHIPPED_SOURCES / "crm" / "contract.odcs.yaml"
        (tmp_path / "crm" / document.name).write_text(document.read_text("utf-8"), "utf-8")
        before = app.state.released
        app.state.released = Released(None, None, tmp_path)
        app.state.released.of(app.state.hub.engine)
        yield
        app.state.released = before

    @pytest.mark.usefixtures("released")
    def test_its_tables_are_named_with_what_to_do(self, steward: TestClient) -> None:
        page = steward.get(PAGE).text

        assert "6 tables without a mapping:" in page
        assert "put a mapping named after the table beside the contract" in page
        assert "put <code>account.yaml</code> beside the contract of crm" in steward.get(f"{PAGE}/crm/account").text
