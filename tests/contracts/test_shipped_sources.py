"""What the shipped profiles promise to everything that builds on them."""

import json
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from mdm.intake.catalogue import Profile, load_catalogue
from mdm.intake.debezium import translate
from mdm.intake.mapping import standardise
from mdm.model.canonical import ATTRIBUTES, LINKED_FACTS, Shape
from mdm.model.ids import Domain
from mdm.model.records import SourceRecord
from mdm.streams.file import FileFeed

PROFILES = load_catalogue().profiles
#: The values that matching reads, by domain; see matching/VALUES.md.
COMPARED = {
    Domain.CUSTOMER: (
        "name name_sorted name_compact name_native alternate_names legal_form country identifiers weak_identifiers "
        "phones domains emails street house_number postcode city region names_references self parents"
    ),
    Domain.CONTRACT: (
        "numbers own_number stated_number start end term_months value annual_value currency period_start period_end "
        "source_type self prior"
    ),
    Domain.PRODUCT: "codes code_parts gtin name name_tokens edition version release family unit unit_kinds brand "
    "named_brand made_by made_for period sizes pack self names_references parents",
}


@cache
def records() -> tuple[SourceRecord, ...]:
    catalogue = load_catalogue()
    feed = FileFeed(Path(str(files("mdm.demo"))) / "world" / "events")
    events = translate(feed.poll(100_000, 0.0), catalogue).events
    return tuple(standardise(catalogue, event.key, event.row) for event in events if event.key and event.row)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: f"{profile.system}.{profile.table}")
def test_every_contract_has_version_owner_and_key(profile: Profile) -> None:
    contract = profile.contract

    assert contract.status == "active"
    assert contract.version.count(".") == 2
    assert contract.owner != ""
    assert contract.primary_key
    assert contract.topic == f"{profile.system}.public.{profile.table}"
    assert set(contract.primary_key) <= set(contract.columns)


def test_master_data_is_held_when_a_table_is_emptied() -> None:
    applied = {(profile.system, profile.table) for profile in PROFILES if profile.contract.truncate_applies}

    assert applied == {("product", "feature")}, "the product platform reloads this table by TRUNCATE and INSERT"


def test_every_table_of_the_four_platforms_is_mapped() -> None:
    kinds = {profile.mapping.kind for profile in PROFILES if profile.mapping is not None}

    assert all(profile.mapping is not None for profile in PROFILES)
    assert len(PROFILES) == 22
    assert kinds == {*Domain, *LINKED_FACTS}


@pytest.mark.parametrize("domain", Domain)
def test_attributes_have_their_canonical_shape(domain: Domain) -> None:
    shapes = {attribute.name: attribute.shape for attribute in ATTRIBUTES[domain]}
    filled = set()
    for record in records():
        if record.domain is domain:
            for name, value in record.attributes.items():
                assert has_shape(value, shapes[name]), (str(record.key), name, value)
                filled.add(name)

    assert filled >= {"name", "status"} if domain is not Domain.CONTRACT else {"number", "lines", "start_date"}


@pytest.mark.parametrize("domain", Domain)
def test_matching_gets_the_values_it_knows_in_the_form_it_expects(domain: Domain) -> None:
    for record in records():
        if record.domain is domain:
            assert record.comparison.keys() <= set(COMPARED[domain].split()), record.key
            for name, value in record.comparison.items():
                assert value not in ("", [], None), (str(record.key), name)
                if isinstance(value, list):
                    assert value == sorted(set(value)), (str(record.key), name)
                if name not in ("name_native", "self", "names_references", "parents", "prior", "source_type"):
                    assert str(value).isascii(), (str(record.key), name, value)
                    assert str(value).lower() == str(value)


def test_records_are_plain_json() -> None:
    for record in records():
        for part in (record.attributes, record.comparison, record.rejected):
            assert json.loads(json.dumps(part)) == part


def has_shape(value: Any, shape: Shape) -> bool:
    match shape:
        case Shape.TEXT | Shape.CODE:
            return isinstance(value, str) and value.strip() == value != ""
        case Shape.BOOLEAN:
            return isinstance(value, bool)
        case Shape.INTEGER:
            return isinstance(value, int)
        case Shape.DECIMAL:
            return isinstance(value, str) and float(value) is not None
        case Shape.DATE:
            return bool(date.fromisoformat(value).isoformat() == value)
        case Shape.TEXTS:
            return value != [] and all(has_shape(item, Shape.TEXT) for item in value)
        case Shape.REFERENCE:
            return set(value) == {"system", "type", "key"}
        case Shape.ADDRESS:
            return set(value) == {"street", "house_number", "line2", "postal_code", "city", "region", "country"}
        case Shape.IDENTIFIERS:
            return all(item.keys() == {"type", "country", "value", "normal", "state"} for item in value)
        case Shape.PHONES:
            return all(item.keys() == {"value", "e164", "valid"} for item in value)
        case Shape.EMAILS:
            return all(item.keys() == {"value", "domain", "shared"} for item in value)
        case Shape.LINES:
            return all(item.keys() == {"product", "quantity", "unit_price"} for item in value)
