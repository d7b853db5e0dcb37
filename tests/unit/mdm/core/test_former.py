"""What a row said before of its name and address is evidence; what else it said, and what it only repeats, is none."""

from collections.abc import Sequence
from typing import Any

from matching.features import derive
from mdm.core.former import MOST, bears_witness, with_former
from mdm.intake.catalogue import load_catalogue
from mdm.intake.mapping import standardise
from mdm.model.events import Row
from mdm.model.ids import CrosswalkKey

CATALOGUE = load_catalogue()
ACCOUNT = CrosswalkKey("crm", "account", "001")

HERE: Row = {
    "id": "001",
    "name": "Nordlicht Optik GmbH",
    "billing_street": "Hauptstr. 1",
    "billing_postal_code": "70173",
    "billing_city": "Stuttgart",
    "billing_country": "Germany",
    "vat_number__c": "DE136695976",
}
THERE = {**HERE, "billing_street": "Hafenweg 7", "billing_postal_code": "20457", "billing_city": "Hamburg"}


def compared(row: Row, *before: Row, key: CrosswalkKey = ACCOUNT) -> dict[str, Any]:
    record = standardise(CATALOGUE, key, row)
    return dict(with_former(CATALOGUE, key, row, record, [*before, row]).comparison)


def places(*rows: Row) -> Sequence[str]:
    return compared(rows[-1], *rows[:-1]).get("former_sites", [])


def test_a_company_that_moved_was_where_it_was() -> None:
    assert places(HERE, THERE) == ["p:70173|1", "s:hauptst|1|stuttgart"]
    assert places(THERE, HERE) == ["p:20457|7", "s:hafenvag|7|hamburg"]


def test_where_a_row_was_is_written_as_matching_writes_where_a_row_is() -> None:
    there = standardise(CATALOGUE, ACCOUNT, HERE).comparison

    assert list(derive("customer", there, frozenset())["sites"]) == places(HERE, THERE)


def test_who_came_back_was_elsewhere_and_not_where_he_is() -> None:
    assert places(HERE, THERE, HERE) == places(THERE, HERE)


def test_a_company_that_was_renamed_was_called_otherwise_and_its_own_name_stays_first() -> None:
    renamed = compared({**HERE, "name": "Sudwind AG"}, HERE)

    assert renamed["former_names"] == ["nordlicht optik"]
    assert renamed["name"] == "sudwind"
    assert "former_sites" not in renamed


def test_another_way_to_write_the_same_is_no_former_name() -> None:
    assert "former_names" not in compared({**HERE, "name": "NORDLICHT OPTIK GMBH"}, HERE)


def test_numbers_that_were_put_right_are_no_evidence() -> None:
    row = {**HERE, "vat_number__c": "DE811569869"}

    assert compared(row, HERE) == standardise(CATALOGUE, ACCOUNT, row).comparison


def test_of_a_row_that_keeps_changing_the_newest_statements_count() -> None:
    said = [{**HERE, "billing_street": f"Hauptstr. {number}"} for number in range(1, 40)]

    numbers = {int(place.split("|")[1]) for place in places(*said)}

    assert numbers == set(range(39 - MOST, 39))


def test_a_platform_that_reads_the_hub_bears_no_witness_of_what_it_said() -> None:
    partner = CrosswalkKey("erp", "business_partner", "1")
    row = {"bp_number": "1", "legal_name": "Sudwind AG", "country": "DE"}

    assert not bears_witness(CATALOGUE, partner)
    assert "former_names" not in compared(row, {**row, "legal_name": "Nordlicht Optik GmbH"}, key=partner)
