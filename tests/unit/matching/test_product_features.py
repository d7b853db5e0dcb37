"""Columns of products, case by case."""

from typing import Any

import pytest

from matching.features import derive_keys


def columns(**comparison: Any) -> Any:
    return derive_keys("product", comparison, frozenset())


@pytest.mark.parametrize(
    ("codes", "parts", "stem"),
    [
        (["nimanalstold"], ["anal", "nim", "old", "st"], "nimanalst"),
        (["atlforestemea"], ["atl", "emea", "fore", "st"], "atlforest"),
        (["kitgateapiaold"], ["a", "api", "gate", "kit", "old"], "kitgateapi"),
        (["harbillent1"], ["1", "bill", "ent", "har"], "harbillent"),
        # Nothing was set apart, so nothing is taken off.
        (["atlforestus"], ["atlforestus"], "atlforestus"),
        (["sumconnv2"], ["conn", "sum", "v2"], "sumconnv2"),
    ],
)
def test_marks_of_region_age_and_copy_come_off_a_code(codes: list[str], parts: list[str], stem: str) -> None:
    assert columns(codes=codes, code_parts=parts)["code_stems"] == (stem,)


def test_a_product_charged_by_usage_is_of_another_form_than_its_seat() -> None:
    calls, seat = columns(name="orbit catalog api calls"), columns(name="orbit catalog")

    assert calls["words"] == seat["words"]
    assert (calls["form"], seat["form"]) == ("metered", "plain")


def test_a_bundle_is_of_another_form_than_its_parts_and_keeps_its_number() -> None:
    bundle = columns(name="pulse suite 13 messaging vault")

    assert bundle["form"] == "bundle"
    assert bundle["numbers"] == ("13",)
    assert bundle["words"] == ("messaging", "pulse", "vault")


def test_a_name_without_a_version_means_the_first() -> None:
    assert columns(name="meridian vault")["version"] == columns(name="meridian vault", version="v1")["version"]
    assert columns(name="meridian vault", version="v2")["version"] == "v2"


def test_a_version_may_stand_in_the_code_alone() -> None:
    assert columns(name="atlas forecast", code_parts=["atl", "fore", "v2"])["version"] == "v2"
    assert columns(name="atlas forecast", code_parts=["v1", "v2"])["version"] == "v1", "two say nothing"
    assert columns(name="atlas forecast", code_parts=["v2"], version="v3")["version"] == "v3"


@pytest.mark.parametrize(
    ("name", "edition", "code", "version"),
    [
        ("connect summit", None, "sumconnv2", "v2"),
        ("connect summit", "enterprise", "sumconnentv3", "v3"),
        ("mail server", None, "mailserv2", "v1"),  # its number 2: `serv` abbreviates as well
        ("mail server", None, "mxkwv2", "v1"),  # who knows what that is
        ("connect summit", None, "sumconn2", "v1"),
        ("pro 365", None, "pro365v2", "v2"),
        ("365 connect", "professional", "conn365prov2", "v2"),
        ("pro 3655", None, "pro365v2", "v1"),  # a number is not abbreviated
    ],
)
def test_a_version_at_the_end_of_a_code_in_one_piece_counts_where_the_rest_abbreviates_the_name(
    name: str, edition: str | None, code: str, version: str
) -> None:
    stated = {} if edition is None else {"edition": edition}
    assert columns(name=name, codes=[code], code_parts=[code], **stated)["version"] == version


def test_a_code_and_a_name_of_many_like_words_are_compared_in_one_pass() -> None:
    name = " ".join(f"ab{number}" for number in range(60))

    assert columns(name=name, codes=["ab" * 30 + "xv2"])["version"] == "v1"
    assert columns(name=name, codes=["ab" * 30 + "v2"])["version"] == "v2"


def test_variants_of_one_product_have_different_keys() -> None:
    keys = [columns(name="harbor billing", edition=edition)["variant"] for edition in ("starter", "professional", None)]

    assert len(set(keys)) == 3


def test_measure_and_pack_are_columns_of_their_own_and_no_words() -> None:
    found = columns(name="mineral water 6 x 500 ml", pack="6", sizes=["500ml"])

    assert (found["words"], found["pack"], found["sizes"]) == (("mineral", "water"), "6", ("500ml",))
    assert found["numbers"] == ("500", "6")
    assert "plain_numbers" not in found


def test_a_pack_of_ten_is_no_bundle_and_a_pack_of_one_is_a_single_piece() -> None:
    ten, one = columns(name="sensor 10 pack", pack="10"), columns(name="sensor 1 pack", pack="1")
    none = columns(name="sensor")

    assert (ten["form"], ten["stated_pack"]) == ("plain", "10")
    assert one["stated_pack"] == none["stated_pack"] == "none"


def test_a_brand_is_sought_at_the_beginning_of_the_other_name() -> None:
    stated, named = columns(name="laserjet 400", brand="kyocera"), columns(name="kyocera laserjet 400")

    assert set(stated["claims"]) & set(named["leads"])
    assert not set(named["claims"]) & set(stated["leads"])
    assert not set(columns()["claims"]) & set(columns()["leads"])
