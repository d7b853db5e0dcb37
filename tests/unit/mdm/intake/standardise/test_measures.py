"""Units under one name, sizes in one unit, packs by their number."""

import pytest

from mdm.intake.standardise.measures import in_one_unit, pack_in, sizes_in, unit_of
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
    "written", ["Pack of 10", "Sensor 10-pack", "Sensor 10 pcs", "Sensor ×10", "Sensor 10er Packung"]
)
def test_a_pack_is_a_number_of_pieces(written: str) -> None:
    assert (pack_in(written), sizes_in(written)) == ("10", ())


@pytest.mark.parametrize(
    "written",
    [
        "Tap M6x1",
        "Office 365",
        "Language Pack 2",
        "Messaging 2.0",
        "Vault 0 pack",
        "ThinkPad X13",
        "ThinkPad X 13",
        "Fujifilm X100",
        "5G Router",
        "802.11 g",
        "Adapter 802.11g",
    ],
)
def test_what_only_looks_like_a_pack_is_none(written: str) -> None:
    assert (pack_in(written), sizes_in(written)) == (None, ())


@pytest.mark.parametrize(
    ("written", "sizes"),
    [
        ("Cable 2 m", ("2000mm",)),
        ("Cable 2m", ("2000mm",)),
        ("Kabel 2,0 m", ("2000mm",)),
        ('Monitor 24"', ("24inch",)),
        ("Monitor 24 Zoll", ("24inch",)),
        ("T-Shirt 5 M", ()),
        ("API calls 10M", ()),
    ],
)
def test_metres_and_inches_are_sizes_and_a_capital_m_is_not(written: str, sizes: tuple[str, ...]) -> None:
    assert sizes_in(written) == sizes


@pytest.mark.parametrize(
    ("written", "sizes"),
    [
        ("Copy paper A4 500 sheets", ("500sheet",)),
        ("Kopierpapier A4 1.000 Blatt", ("1000sheet",)),
        ("Papier A4 500 feuilles 80 g/m²", ("500sheet", "80gsm")),
        ("Papel A4 80 g/m2 500 hojas", ("500sheet", "80gsm")),
        ("Paper 80gsm", ("80gsm",)),
        ("Coffee 80 g", ("80g",)),
        ("Blatt 4", ()),
    ],
)
def test_sheets_and_what_a_square_metre_weighs_are_sizes(written: str, sizes: tuple[str, ...]) -> None:
    assert sizes_in(written) == sizes


@pytest.mark.parametrize(
    ("written", "form", "sizes"),
    [
        ("Bosch GSR 12V-15", "Bosch GSR 12V15", ()),
        ("Bosch GSR12V15", "Bosch GSR12V15", ()),
        ("Adapter 12V-24V", "Adapter 12 v-24 v", ("12v", "24v")),
        ("Adapter 12V-15 W", "Adapter 12 v-15 w", ("12v", "15w")),
        ("Adapter 12V", "Adapter 12 v", ("12v",)),
    ],
)
def test_a_model_that_is_rated_in_volts_is_no_measure(written: str, form: str, sizes: tuple[str, ...]) -> None:
    assert (in_one_unit(written), sizes_in(written)) == (form, sizes)


def test_a_fraction_is_a_size() -> None:
    assert sizes_in("Cable 2,50 mm") == sizes_in("Cable 2.5mm") == ("2.5mm",)


@pytest.mark.parametrize(
    ("written", "sizes"),
    [
        ("Desk 120 x 60 cm", ("1200mm", "600mm", "600x1200mm")),
        ("Desk 60x120cm", ("1200mm", "600mm", "600x1200mm")),
        ("Desk 1,200 × 600 mm", ("1200mm", "600mm", "600x1200mm")),
        ("Desk 120 cm x 60 cm", ("1200mm", "600mm", "600x1200mm")),
        ("10 x 15 cm photo", ("100mm", "100x150mm", "150mm")),
        ("Monitor 27 x 16 x 3 cm", ("160mm", "270mm", "30mm", "30x160x270mm")),
        ("Foil 9 x 0.5 mm", ("0.5mm", "0.5x9mm", "9mm")),
        ("Screw M 8 x 20 mm", ("20mm",)),
        ("Screw M8x20mm", ("20mm",)),
        ("Screw M8 x 20", ("20mm",)),
        ("Tap M8x1", ()),
        ("Tap M8x1.25", ()),
        ("Engine oil 5W-30", ()),
        ("Screw m8 × 20 mm", ("20mm",)),
    ],
)
def test_dimensions_and_threads_are_no_pack(written: str, sizes: tuple[str, ...]) -> None:
    assert (pack_in(written), sizes_in(written)) == (None, sizes)


def test_sides_of_one_length_do_not_make_two_things_alike() -> None:
    assert not set(sizes_in("Desk 60 x 60 cm")) <= set(sizes_in("Desk 120 x 60 cm"))
    assert set(sizes_in("Desk 60 cm")) <= set(sizes_in("Desk 120 x 60 cm"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Desk 120 x 60 cm", "Desk 1200x600mm"),
        ("Screw M 8 x 20 mm", "Screw M8x20mm"),
        ("Gloves 1,000 pcs", "Gloves 1 000 pcs"),
        ("Gloves pack of 1.000", "Gloves pack of 1000"),
        ("Cleaner 1 000 ml", "Cleaner 1 l"),
    ],
)
def test_names_differ_in_no_word_that_only_writes_an_amount_otherwise(one: str, other: str) -> None:
    assert in_one_unit(one) == in_one_unit(other)


@pytest.mark.parametrize(
    ("written", "pack"),
    [
        ("Pack of 1,000", "1000"),
        ("Box of 1.000 screws", "1000"),
        ("Screws 1,000 pcs", "1000"),
        ("Screws 1 000 pcs", "1000"),
        ("Screws 1000 pcs", "1000"),
        ("Screws 10.000 Stück", "10000"),
        ("Screws 10000 pcs", "10000"),
        ("Screws, 1,000,000 ct", "1000000"),
        ("Model 1 500 pcs", "500"),
        ("Pack of 1.5 l", None),
        ("Pack of 500 ml", None),
        ("Pack of 1 000 ml", None),
        ("Pack of 6 pieces", "6"),
        ("Pack of 6, 0.5 l", "6"),
    ],
)
def test_a_count_may_have_thousands_and_is_no_measure(written: str, pack: str | None) -> None:
    assert pack_in(written) == pack


@pytest.mark.parametrize(
    "written", ["Water 500 ml x6", "Water 500ml x 6", "WATER X6 500ML", "Water x 6 0,5 l", "Water ×6 500 ml"]
)
def test_a_number_behind_x_is_a_pack_beside_what_each_piece_holds(written: str) -> None:
    assert (pack_in(written), sizes_in(written)) == ("6", ("500ml",))


@pytest.mark.parametrize("written", ["ThinkPad X13 16 GB", "ThinkPad 16GB X13"])
def test_a_number_behind_x_beside_another_measure_is_a_models(written: str) -> None:
    assert (pack_in(written), sizes_in(written)) == (None, ("16gb",))


@pytest.mark.parametrize(
    ("written", "sizes"),
    [
        ("Cleaner 1 000 ml", ("1000ml",)),
        ("Cleaner 1.000 ml", ("1000ml",)),
        ("Cleaner 1,000 ml", ("1000ml",)),
        ("Cleaner 1.000 l", ("1000ml",)),
        ("Cleaner 1,000 l", ("1000000ml",)),
        ("Cleaner 0,500 l", ("500ml",)),
        ("Powder 1.000.000 mg", ("1000000mg",)),
        ("Power bank 10.000 mAh", ("10000mah",)),
        ("Foil 0.125 mm", ("0.125mm",)),
        ("Water 6 500 ml", ("500ml",)),
        ("SUGAR 500G", ("500g",)),
        ("Saffron 5 g", ("5g",)),
        ("Saffron 5g", ("5g",)),
    ],
)
def test_thousands_are_told_from_decimals(written: str, sizes: tuple[str, ...]) -> None:
    assert sizes_in(written) == sizes
