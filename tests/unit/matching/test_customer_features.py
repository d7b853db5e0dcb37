"""Columns of customers, case by case."""

from typing import Any

import pytest

from matching.features import derive, derive_keys
from matching.features.customer import related_numbers
from matching.model import CannotLink
from matching.validity import differing as differing_kinds
from matching.validity import facts_of
from mdm.intake.standardise.lists import variants_of

COMMON = frozenset({"services", "group"})


def columns(**comparison: Any) -> Any:
    return derive_keys("customer", comparison, COMMON)


@pytest.mark.parametrize(
    ("identifier", "numbers"),
    [
        ("vat:fr:fr06608414553", ("fr:06608414553", "fr:608414553")),
        ("registration:fr:608414553", ("fr:608414553",)),
        ("vat:se:se556036079301", ("se:556036079301", "se:5560360793")),
        ("vat:nl:nl169963937b05", ("nl:16996393705", "nl:169963937")),
        ("vat:de:de136695976", ("de:136695976",)),
        ("tax:us:12345", ("tax:us:12345",)),
        ("lei::549300gizvrx65dny651", ("lei::549300gizvrx65dny651",)),
    ],
)
def test_a_vat_number_contains_the_company_number_where_the_law_says_so(
    identifier: str, numbers: tuple[str, ...]
) -> None:
    assert related_numbers(identifier) == numbers


def test_a_french_vat_number_and_its_siren_share_a_number() -> None:
    vat = columns(identifiers=["vat:fr:fr06608414553"])
    siren = columns(identifiers=["registration:fr:608414553"])

    assert set(vat["numbers"]) & set(siren["numbers"])
    assert set(vat["all_numbers"]) & set(siren["all_numbers"])


def test_rare_words_leave_out_what_many_companies_are_called() -> None:
    assert columns(name="quanix services 24")["rare_tokens"] == ("quanix",)


def test_a_name_and_its_acronym_meet() -> None:
    long, short = columns(name="broad street post industries"), columns(name="bspi")

    assert set(long["initials"]) & set(short["names"])
    assert set(long["initials"]) & set(short["initials"])


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ("international business machines deutschland", "ibm deutschland"),
        ("allgemeine ortskrankenkasse der region nord", "aorn"),
        ("societe des transports en commun", "stc"),
    ],
)
def test_an_acronym_may_leave_small_words_out_and_be_followed_by_words_in_full(long: str, short: str) -> None:
    one, other = columns(name=long), columns(name=short)

    assert set(one["initials"]) & set(other["names"])


def test_a_name_meets_the_web_address_that_spells_it() -> None:
    named, addressed = columns(name="aoba shokuhin"), columns(domains=["aoba-shokuhin.co.jp"])

    assert set(named["handles"]) & set(addressed["handles"])


@pytest.mark.parametrize(
    ("one", "other"), [("jonasson teknik", "jonnasson teknik"), ("genova energia", "genova rnergia")]
)
def test_a_typing_error_spoils_only_one_edge_of_a_name(one: str, other: str) -> None:
    assert set(columns(name=one)["edges"]) & set(columns(name=other)["edges"])


def test_an_alternate_name_counts_as_a_name() -> None:
    assert "oldname" in columns(name="new name", alternate_names=["old name"])["names"]


def test_native_names_are_compared_as_they_are() -> None:
    record = columns(name_native="山田製作所")

    assert record["names"] == ("山田製作所",)
    assert "name" not in record


def test_the_table_of_a_record_is_that_of_its_key_not_of_an_alias() -> None:
    assert columns(self=["crm:account#id15:001", "crm:account:001X"])["table"] == "crm:account"


def test_sites_may_have_many_duns_numbers_but_an_entity_has_one_tax_number() -> None:
    record = columns(identifiers=["duns::123456789", "tax:us:123456780"])

    assert record["exclusive"] == ("tax:us:123456780",)
    assert record["identifier_kinds"] == ("duns:", "tax:us")


def test_unknown_values_are_absent() -> None:
    assert derive("customer", {"name": "", "phones": [], "city": None, "domains": [""]}, COMMON) == {}


def test_a_company_that_moved_meets_who_knows_only_where_it_was() -> None:
    moved = columns(house_number="7", postcode="20457", former_sites=["p:70173|1", "s:hauptst|1|stuttgart"])
    stale = columns(house_number="1", postcode="70173", street="hauptst", city="stuttgart")

    assert set(moved["former_sites"]) & set(stale["sites"])
    assert not set(moved["sites"]) & set(stale["sites"])
    assert set(moved["houses"]) & set(stale["houses"])
    assert set(moved["street_houses"]) & set(stale["street_houses"])


def test_a_former_name_is_what_others_may_still_say_and_not_what_two_rows_have_in_common() -> None:
    renamed = columns(name="fund 3", former_names=["solar 2"])

    assert set(columns(name="solar 2")["names"]) & set(renamed["former_names"])
    assert not set(columns(name="fund 4", former_names=["solar 2"])["names"]) & set(renamed["former_names"])
    assert renamed["name_numbers"] == ("3",)
    assert "solar2" in renamed["edges"] or set(columns(name="solar 2")["edges"]) & set(renamed["edges"])


@pytest.mark.parametrize(
    ("stated", "own"),
    [
        pytest.param(
            ["registration:ch:che446655395", "tax:ch:che596069797"], ["registration:ch:che446655395"], id="Swiss group"
        ),
        pytest.param(
            ["registration:fr:404833048", "registration:fr:552008443", "vat:fr:fr27552008443"],
            ["registration:fr:404833048"],
            id="French group",
        ),
        pytest.param(
            ["registration:fr:404833048", "vat:fr:fr83404833048"],
            ["registration:fr:404833048", "vat:fr:fr83404833048"],
            id="its own",
        ),
        pytest.param(
            ["registration:de:hrb12345", "vat:de:de129273398"],
            ["registration:de:hrbhrb12345", "vat:de:de129273398"],
            id="nobody can tell",
        ),
    ],
)
def test_a_tax_number_of_the_group_is_not_the_company_s_own(stated: list[str], own: list[str]) -> None:
    assert columns(identifiers=stated)["exclusive"] == tuple(own)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("tax:in:27aaacr4849r1zl", "tax:in:29aaacr4849r1zh"),
        ("tax:in:27aaacr4849r1zl", "tax:in:aaacr4849r"),
        ("tax:br:11222333000181", "tax:br:11222333000262"),
    ],
)
def test_numbers_of_states_and_sites_are_one_exclusive_number(one: str, other: str) -> None:
    first, second = (columns(identifiers=[each]) for each in (one, other))

    assert first["exclusive"] == second["exclusive"]
    assert set(first["numbers"]) & set(second["numbers"])


@pytest.mark.parametrize(
    ("one", "other", "differing"),
    [
        ("de-kiel:hra8473", "de-kiel:hrb8473", ["registration:de-kiel"]),
        ("de:pr8473", "de:vr8473", ["registration:de"]),
        ("de-kiel:hra8473", "de-ulm:hrb8473", []),
        ("de-kiel:hrb8473", "de-kiel:hrb8478", []),
    ],
)
def test_each_register_of_a_german_court_has_numbers_of_its_own(one: str, other: str, differing: list[str]) -> None:
    cannot_link = CannotLink(identifiers=("exclusive",))

    first, second = (columns(identifiers=[f"registration:{each}"]) for each in (one, other))

    assert differing_kinds(facts_of(cannot_link, first), facts_of(cannot_link, second)) == differing


@pytest.mark.parametrize("country", sorted(set(variants_of("country_words").values())))
def test_every_country_that_names_are_read_for_makes_a_national_company(country: str) -> None:
    """Standardising writes one word for a country; it must be one that this knows."""
    assert columns(name=f"orre {country}", name_compact=f"orre{country}")["national"] == country
