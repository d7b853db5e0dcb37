"""From use to revenue, product by product, and what stands in the way."""

from typing import Any

import pytest

from mdm.lifecycle.assemble import read_story
from mdm.lifecycle.coverage import Coverage, coverage, follow
from mdm.lifecycle.facts import Offer
from mdm.lifecycle.policy import shipped_policy
from mdm.lifecycle.usage_revenue import read_usage_revenue, shipped_usage_revenue
from mdm.model.ids import CrosswalkKey
from tests.unit.mdm.lifecycle.story import (
    BILLING_PRODUCT,
    CODE,
    CONTRACT,
    CONTRACT_KEY,
    FEATURE,
    OFFER_KEY,
    PRODUCT,
    SUBSCRIPTION_KEY,
    Story,
    clean_story,
    line,
)
from tests.unit.mdm.lifecycle.test_usage_revenue import CALLS, GATE, document

SHIPPED = shipped_usage_revenue()
OWN = read_usage_revenue(document(CALLS, GATE))


def offers(*metered: bool) -> list[Offer]:
    return [Offer(CrosswalkKey("billing", "price", str(place)), PRODUCT, None, by) for place, by in enumerate(metered)]


def covered(story: Story) -> Coverage:
    material, policy = story.material(), shipped_policy()
    return coverage(material.usage_revenue, material, policy, *read_story(material, policy))


def unsold() -> Story:
    """Nothing that runs sells the product any more, and nobody may use it."""
    story = clean_story()
    story.contracts[CONTRACT]["status"] = "expired"
    for key in (CONTRACT_KEY, SUBSCRIPTION_KEY):
        story.change(key, status="cancelled")
    return story


@pytest.mark.parametrize(
    ("values", "prices", "lacks"),
    [
        ({"unit": "call", "revenue_account": "4010"}, (True,), {}),
        ({"unit": "call", "revenue_account": "4010"}, (), {}),
        ({"unit": "call", "revenue_account": "4010"}, (False, True), {}),
        ({"unit": "call", "revenue_account": "4010"}, (False,), {"billing_metric": "no price of billing is metered"}),
        ({"unit": "seat", "revenue_account": "4010"}, (True,), {"billing_metric": "no price of billing is licensed"}),
        ({"unit": "hour", "revenue_account": "4010"}, (True,), {"billing_metric": "no row for the unit hour"}),
        ({"unit": "seat"}, (False,), {"revenue_account": "neither the mapping nor ERP"}),
        ({"revenue_account": "4010"}, (False,), {"usage_unit": "no platform says"}),
        ({}, (), {"usage_unit": "no platform says", "revenue_account": "neither the mapping nor ERP"}),
        ({"unit": "", "revenue_account": ""}, (), {"usage_unit": "no platform", "revenue_account": "neither"}),
    ],
)
def test_a_product_leads_to_revenue_or_it_is_told_where_the_way_breaks_off(
    values: dict[str, Any], prices: tuple[bool, ...], lacks: dict[str, str]
) -> None:
    chain = follow(SHIPPED, PRODUCT, values, offers(*prices))

    assert [lack.step.value for lack in chain.lacks] == list(lacks)
    assert all(told in lack.why for lack, told in zip(chain.lacks, lacks.values(), strict=True))
    assert chain.mapped is (not lacks)


@pytest.mark.parametrize(
    ("values", "account", "lacks"),
    [
        ({"code": "kit-gate-api", "unit": "call", "revenue_account": "4010"}, "4010", []),
        ({"code": "kit-gate-api", "unit": "call"}, "4010", []),
        ({"other_codes": ["X", "KIT.GATE.API"]}, "4010", []),
        ({"code": "kit-gate-api", "unit": "seat"}, "4010", ["usage_unit"]),
        ({"code": "kit-gate-api", "revenue_account": "4100"}, "4010", ["revenue_account"]),
        ({"code": "another", "unit": "call", "revenue_account": "4100"}, "4100", []),
    ],
)
def test_a_row_of_its_own_says_what_the_platforms_leave_out_and_must_not_contradict_them(
    values: dict[str, Any], account: str, lacks: list[str]
) -> None:
    chain = follow(OWN, PRODUCT, values, offers(True))

    assert (chain.unit is not None, chain.account) == (True, account)
    assert [lack.step.value for lack in chain.lacks] == lacks


def test_no_sentence_names_an_account() -> None:
    chain = follow(OWN, PRODUCT, {"code": "kit-gate-api", "revenue_account": "4100"}, ())

    assert [("4010" in lack.why, "4100" in lack.why) for lack in chain.lacks] == [(False, False)]


def test_what_a_running_contract_sells_is_active() -> None:
    found = covered(clean_story())

    assert [(chain.product, chain.unit, chain.metric, chain.account) for chain in found.chains] == [
        (PRODUCT, "seat", "licensed seats", "4010")
    ]
    assert (found.share, found.nameless) == (1.0, 0)


def test_what_nothing_running_sells_is_not_active_and_there_is_no_share_of_nothing() -> None:
    story = unsold()
    story.product = {}

    found = covered(story)

    assert (found.chains, found.share, found.reaches(1.0)) == ((), None, True)
    assert story.findings() == ()


@pytest.mark.parametrize(("status", "active"), [("active", True), ("suspended", True), ("revoked", False)])
def test_what_somebody_may_still_use_is_active(status: str, active: bool) -> None:
    story = unsold()
    story.entitlement(named=False, status=status)

    assert bool(covered(story).chains) is active


def test_a_subscription_that_is_past_due_still_sells() -> None:
    story = unsold()
    story.change(SUBSCRIPTION_KEY, status="past_due")

    assert len(covered(story).chains) == 1


def test_lines_of_no_known_product_are_counted_beside() -> None:
    story = clean_story()
    story.change(SUBSCRIPTION_KEY, lines=[line(OFFER_KEY, "2"), line(CrosswalkKey("billing", "price", "gone"), "1")])
    story.entitlement()
    story.product["code"] = "OTHER"
    del story.entities[FEATURE]

    found = covered(story)

    assert (found.nameless, found.share) == (2, 1.0)


def test_codes_of_the_mapping_that_lead_to_no_product_are_told() -> None:
    story = clean_story()
    material, policy = story.material(), shipped_policy()
    known = read_usage_revenue(document(GATE, CALLS.replace("erp}", "erp, products: [SKU]}").replace("calls", "c")))

    assert coverage(known, material, policy, *read_story(material, policy)).idle == ("kitgateapi",)


def test_the_share_is_that_of_products_and_the_bar_counts() -> None:
    story = clean_story()
    story.product = {"unit": "seat"}

    found = covered(story)

    assert (found.mapped, found.share) == (0, 0.0)
    assert (found.reaches(0.0), found.reaches(0.01)) == (True, False)


@pytest.mark.parametrize(
    ("product", "rule", "owner", "subject"),
    [
        ({"revenue_account": "4010"}, "usage_unit_missing", "product-operations", FEATURE),
        ({"unit": "hour", "revenue_account": "4010"}, "billing_metric_missing", "revenue-operations", BILLING_PRODUCT),
        ({"unit": "seat"}, "revenue_account_missing", "finance-master-data", BILLING_PRODUCT),
    ],
)
def test_a_missing_step_is_a_finding_of_whoever_answers_for_it(
    product: dict[str, str], rule: str, owner: str, subject: CrosswalkKey
) -> None:
    story = clean_story()
    story.product = product | {"name": "Kite Gateway"}

    finding = story.only_finding()

    assert (finding.rule, finding.owner, finding.amount) == (rule, owner, None)
    assert finding.sentence.startswith("Kite Gateway is sold and has no ")
    assert finding.subject == subject
    assert finding.subject != CODE, "another name of a row is not its key"


def test_a_price_that_is_charged_otherwise_is_a_finding() -> None:
    story = clean_story()
    story.change(OFFER_KEY, usage_type="metered")

    assert story.only_finding().rule == "billing_metric_missing"
