"""Units under one name, sizes in one unit, packs by their number."""

import pytest

from mdm.intake.standardise.measures import pack_in, sizes_in, unit_of
from tests.unit.mdm.intake.standardise.given import standardised


@pytest.mark.parametrize(
    ("name", "writings"),
    [
        ("unit", "EA C62 H87 PCE Stück Stk. st szt 個 шт pièce"),
        ("hour", "HUR h Std. hours heure timme 時間"),
        ("month", "MON Monat mes měsíc mois"),
        ("gigabyte", "GB E34 gigabytes"),
        ("seat", "seat Seats"),
        ("pack", "PK XPK PAK Packung confezione"),
    ],
)
def test_writings_of_one_unit_are_one(name: str, writings: str) -> None:
    assert {writing: unit_of(writing).name for writing in writings.split() if unit_of(writing)} == dict.fromkeys(  # type: ignore[union-attr]
        writings.split(), name
    )


def test_an_unknown_unit_stays_what_it_is_and_nothing_is_known_of_it() -> None:
    found = standardised("unit", "Sonderposten")

    assert (found.value, found.comparison) == ("sonderposten", {"unit": "sonderposten"})


def test_a_platforms_own_code_is_translated_by_its_mapping_and_compared_under_the_usual_name() -> None:
    found = standardised("unit", "XY", codes={"xy": "seat"})

    assert (found.value, found.comparison) == ("seat", {"unit": "seat", "unit_kinds": ["count", "person"]})


@pytest.mark.parametrize(
    ("one", "other", "may_be_one"),
    [
        ("seat", "EA", True),
        ("call", "TH", True),
        ("GB", "TB", True),
        ("hour", "month", False),
        ("piece", "thousand", False),
        ("piece", "carton", False),
        ("kg", "litre", False),
    ],
)
def test_units_that_may_be_one_share_a_kind(one: str, other: str, may_be_one: bool) -> None:
    first, second = unit_of(one), unit_of(other)

    assert first is not None
    assert second is not None
    assert bool(first.kinds & second.kinds) is may_be_one


@pytest.mark.parametrize("written", ["Water 6x0.5l", "Water 6 × 50 cl", "WATER 6 x 500ML", "Water 6er-Pack 0,5 l"])
def test_a_pack_of_a_size_is_one_however_it_is_written(written: str) -> None:
    assert (pack_in(written), sizes_in(written)) == ("6", ("500ml",))


@pytest.mark.parametrize(
    "written", ["Pack of 10", "Sensor 10-pack", "Sensor 10 pcs", "Sensor x10", "Sensor 10er Packung"]
)
def test_a_pack_is_a_number_of_pieces(written: str) -> None:
    assert (pack_in(written), sizes_in(written)) == ("10", ())


@pytest.mark.parametrize("written", ["Bolt M6x20", "Office 365", "Language Pack 2", "Messaging 2.0", "Vault 0 pack"])
def test_what_only_looks_like_a_pack_is_none(written: str) -> None:
    assert (pack_in(written), sizes_in(written)) == (None, ())


def test_a_fraction_is_a_size() -> None:
    assert sizes_in("Cable 2,50 mm") == sizes_in("Cable 2.5mm") == ("2.5mm",)
