"""What the shipped models make of pairs that a person would decide at a glance.

Stated as who ranks above whom, and as decisions where they matter; not as weights, which training changes.
"""

from typing import Any

import pytest

from matching.decision import Decision, decide
from matching.model import load_model
from matching.scoring import PairScore, explain_pair


def customer(name: str, **values: Any) -> dict[str, Any]:
    words = name.split()
    return {
        "name": name,
        "name_sorted": " ".join(sorted(words)),
        "name_compact": "".join(words),
        "country": "nl",
        **values,
    }


def compare(domain: str, left: dict[str, Any], right: dict[str, Any]) -> PairScore:
    return explain_pair(load_model(domain), left, right)


def decision(domain: str, left: dict[str, Any], right: dict[str, Any]) -> Decision:
    score = compare(domain, left, right)
    return decide(load_model(domain), score.weight, score.vetoes[0] if score.vetoes else None)


ACME = customer(
    "quanix fort techniek",
    street="hoofdst",
    house_number="4",
    postcode="9780np",
    city="groningen",
    phones=["31309725926"],
    domains=["quanix.nl"],
    identifiers=["vat:nl:nl169963937b05"],
)

SAME = [
    pytest.param(customer("quanix fort techniek", identifiers=["vat:nl:nl169963937b05"]), id="same tax number"),
    pytest.param(customer("quanix fort techniek", domains=["quanix.nl"]), id="same name and domain"),
    pytest.param(customer("techniek quanix fort", phones=["31309725926"]), id="words in another order"),
    pytest.param(
        customer("quamix fort techniek", postcode="9780np", house_number="4", domains=["quanix.nl"]), id="mistyped"
    ),
    pytest.param(customer("quanix fort techniek", weak_identifiers=["vat:nl:nl169963973b05"], phones=["31309725926"]),
                 id="mistyped tax number"),
]  # fmt: skip
NOT_SAME = [
    pytest.param(customer("quanix groep nederland", domains=["quanix.nl"], city="breda", postcode="4826es",
                          street="coolsingel", identifiers=["vat:nl:nl444617115b17"]), id="sister company"),
    pytest.param(customer("quanix fort techniek", country="de", domains=["quanix.nl"], city="berlin"),
                 id="same name abroad"),
    pytest.param(customer("bouwbedrijf orul", postcode="9780np", house_number="4", street="hoofdst",
                          city="groningen", identifiers=["vat:nl:nl318141802b17"]), id="same building"),
]  # fmt: skip


@pytest.mark.parametrize("other", SAME)
def test_records_of_one_company_are_matched(other: dict[str, Any]) -> None:
    assert decision("customer", ACME, other) is Decision.MATCH


@pytest.mark.parametrize("other", NOT_SAME)
def test_records_of_two_companies_are_not_matched(other: dict[str, Any]) -> None:
    assert decision("customer", ACME, other) is not Decision.MATCH


def test_a_stated_subsidiary_is_never_proposed() -> None:
    head = {**ACME, "self": ["crm:account:1"]}
    branch = {**ACME, "self": ["crm:account:2"], "parents": ["crm:account:1"]}

    assert decision("customer", head, branch) is Decision.NONE
    assert compare("customer", head, branch).vetoes[0] == "parent"


def test_different_valid_tax_numbers_make_a_match_a_question() -> None:
    other = {**ACME, "identifiers": ["vat:nl:nl444617115b17"], "tokens": ["contract:ct2024000001", "invoice:inv1"]}
    known = {**ACME, "tokens": ["contract:ct2024000001", "invoice:inv1"]}

    assert "vat_differs" in compare("customer", known, other).vetoes
    assert decision("customer", known, other) is not Decision.MATCH


def test_a_name_that_only_was_one_is_not_told_as_the_same_without_a_word_on_why() -> None:
    renamed = customer("zennextis industries", former_names=["quanix fort techniek"], self=["crm:account:1"])
    moved = {**ACME, "street": "coolsingel", "house_number": "9", "postcode": "3012ab", "city": "rotterdam"}
    moved |= {"former_sites": ["p:9780np|4"], "self": ["crm:account:2"]}
    other = {**ACME, "self": ["billing:customer:1"]}

    told = {each.comparison: each.words for each in compare("customer", renamed, other).contributions}
    assert told["name"] == "same name, by what one of them said before"
    told = {each.comparison: each.words for each in compare("customer", moved, other).contributions}
    assert (told["name"], told["address"]) == ("same name of rare words", "same address before")
    assert not any(each.formerly for each in compare("customer", ACME, other).contributions)


def test_every_veto_is_told_as_a_sentence() -> None:
    score = compare("product", {"name": "orbit", "version": "v2"}, {"name": "orbit", "version": "v3"})

    assert (score.veto, score.reasons) == ("version_differs", ("The versions differ.",))


def test_every_shared_fact_makes_a_match_more_likely() -> None:
    bare = customer("quanix fort techniek")
    ranked = [
        compare("customer", bare, customer("orul bouw")),
        compare("customer", bare, customer("quanix fort")),
        compare("customer", bare, customer("quanix fort technick")),
        compare("customer", bare, bare),
        compare("customer", {**bare, "phones": ["31309725926"]}, {**bare, "phones": ["31309725926"]}),
    ]

    weights = [score.weight for score in ranked]
    assert weights == sorted(weights)


def test_names_in_scripts_that_cannot_be_compared_say_nothing() -> None:
    kanji, romaji = {"name_native": "瑞穂食品", "country": "jp"}, customer("mizuho shokuhin", country="jp")

    name = next(part for part in compare("customer", kanji, romaji).contributions if part.comparison == "name")

    assert (name.level, name.bits) == ("unknown", 0.0)


def product(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "name_tokens": sorted(name.split()), **values}


def test_a_product_is_found_under_its_technical_name() -> None:
    sold = product("nimbus analytics", edition="starter", codes=["nimanalst"], code_parts=["anal", "nim", "st"])
    deployed = product("analytics nimbus", edition="starter", version="v1", codes=["svcanalyticsnimbusst"])

    assert decision("product", sold, deployed) is Decision.MATCH


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(product("nimbus analytics", edition="professional"), id="other edition"),
        pytest.param(product("nimbus analytics", edition="starter", version="v2"), id="other version"),
        pytest.param(product("nimbus analytics api calls"), id="charged by usage"),
        pytest.param(product("nimbus suite 7 analytics storage"), id="bundle"),
    ],
)
def test_variants_of_a_product_are_products_of_their_own(other: dict[str, Any]) -> None:
    assert decision("product", product("nimbus analytics", edition="starter"), other) is not Decision.MATCH


def contract(source: str, start: int, end: int, **values: Any) -> dict[str, Any]:
    return {
        "source_type": source,
        "start": start,
        "end": end,
        "currency": "eur",
        "customer": "cus_1",
        "self": [f"{source}:{start}"],
        **values,
    }


SOLD = contract("crm:contract", 19_000, 19_364, value=1200.0, own_number="ct2022000004",
                numbers=["2022000004", "ct2022000004"], products=["prd_1"])  # fmt: skip


def test_a_contract_is_found_in_erp_without_its_number() -> None:
    assert decision("contract", SOLD, contract("erp:sales_contract", 19_000, 19_364, value=1200.0)) is Decision.MATCH


def test_a_renewal_is_a_contract_of_its_own() -> None:
    renewal = contract("crm:contract", 19_365, 19_729, value=1200.0, own_number="ct2023000105",
                       numbers=["2023000105", "ct2023000105"], products=["prd_1"])  # fmt: skip
    linked = {**renewal, "prior": SOLD["self"]}

    assert decision("contract", SOLD, renewal) is not Decision.MATCH
    assert decision("contract", SOLD, linked) is Decision.NONE


def test_a_subscription_belongs_to_the_contract_that_it_bills_now() -> None:
    subscription = {
        "source_type": "billing:subscription", "currency": "eur", "customer": "cus_1", "products": ["prd_1"],
        "start": 19_000, "period_start": 19_365, "period_end": 19_730,
    }  # fmt: skip
    renewal = {**SOLD, "start": 19_365, "end": 19_729, "own_number": "ct2023000105", "numbers": ["ct2023000105"]}

    assert compare("contract", subscription, renewal).weight > compare("contract", subscription, SOLD).weight
    assert decision("contract", subscription, renewal) is Decision.MATCH
    assert decision("contract", subscription, SOLD) is not Decision.MATCH
