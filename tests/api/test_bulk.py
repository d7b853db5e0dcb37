"""Bulk exports over HTTP: complete, of one instant, resumable, masked like everything else."""

import csv
import io
import json
from datetime import timedelta

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from mdm.model.ids import CrosswalkKey, Domain
from tests.api.rows import ACME, NOON, HubRows


@pytest.fixture
def five(rows: HubRows) -> list[str]:
    """Five customers by id."""
    return sorted(
        rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", str(number)), ACME | {"name": f"=Acme {number}"})
        for number in range(5)
    )


def lines(client: TestClient, **params: object) -> list[dict[str, object]]:
    answer = client.get("/v1/customers/export", params=params)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_everything_is_exported_once_in_the_order_of_ids(five: list[str], erp: TestClient) -> None:
    found = lines(erp)

    assert [each["id"] for each in found] == five
    one = erp.get(f"/v1/customers/{five[0]}").json()
    assert found[0]["values"] == one["values"]
    assert erp.get("/v1/customers/export").headers["x-export-total"] == "5"


def test_an_export_goes_on_where_it_broke_off_with_the_same_instant(
    five: list[str], rows: HubRows, erp: TestClient
) -> None:
    begun = erp.get("/v1/customers/export", params={"limit": 2})
    rows.version(five[3], Domain.CUSTOMER, {"name": "Later"}, at=NOON + timedelta(days=40_000))

    rest = lines(erp, as_of=begun.headers["x-export-as-of"], after=begun.headers["x-export-next-after"])

    assert [json.loads(line)["id"] for line in begun.text.splitlines()] == five[:2]
    assert [each["id"] for each in rest] == five[2:]
    assert rest[1]["name"] == "=Acme 3" or rest[1]["version"] == 1


def test_an_export_of_a_time_to_come_is_one_of_now(five: list[str], erp: TestClient) -> None:
    answer = erp.get("/v1/customers/export", params={"as_of": "2999-01-01T00:00:00Z", "limit": 2})

    assert answer.headers["x-export-total"] == "5"
    assert answer.headers["x-export-as-of"] < "2999", "a part asked for later would hold what came meanwhile"


def test_the_last_part_names_no_next_one(five: list[str], erp: TestClient) -> None:
    assert "x-export-next-after" not in erp.get("/v1/customers/export", params={"limit": 5}).headers


def test_csv_holds_no_formulas(five: list[str], erp: TestClient) -> None:
    found = list(csv.DictReader(io.StringIO(erp.get("/v1/customers/export", params={"format": "csv"}).text)))

    assert [each["id"] for each in found] == five
    assert all(each["name"].startswith("'=Acme") for each in found)
    assert json.loads(found[0]["identifiers"]) == ACME["identifiers"]


def test_parquet_can_be_read(five: list[str], erp: TestClient) -> None:
    content = erp.get("/v1/customers/export", params={"format": "parquet"}).content

    table = pq.read_table(io.BytesIO(content))

    assert table.column("id").to_pylist() == five
    assert table.column("country").to_pylist() == ["NL"] * 5


def test_a_reader_exports_what_a_reader_sees(five: list[str], reader: TestClient) -> None:
    for each in lines(reader):
        assert "identifiers" in each["masked"]  # type: ignore[operator]
    text = reader.get("/v1/customers/export", params={"format": "csv"}).text
    assert "NL169963937B05" not in text


def test_an_empty_export_is_an_empty_file(erp: TestClient) -> None:
    assert erp.get("/v1/products/export").text == ""
    assert erp.get("/v1/products/export", params={"format": "csv"}).text.startswith("id,record_version,display_name")
    assert pq.read_table(io.BytesIO(erp.get("/v1/products/export", params={"format": "parquet"}).content)).num_rows == 0
