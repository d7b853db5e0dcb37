"""Entitlement against subscription."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mdm.model.ids import CrosswalkKey, EntityId
from tests.unit.mdm.lifecycle.story import (
    ACCOUNT_KEY,
    AS_OF,
    CONTRACT,
    OFFER_KEY,
    SUBSCRIPTION_KEY,
    clean_story,
    line,
)


def test_an_entitlement_to_what_is_subscribed_is_fine() -> None:
    story = clean_story()
    story.entitlement()

    assert story.findings() == ()


@pytest.mark.parametrize(
    ("status", "rule"),
    [("cancelled", "entitlement_active_sub_cancelled"), ("past_due", "entitlement_active_delinquent")],
)
def test_an_active_entitlement_of_a_subscription_that_is_not(status: str, rule: str) -> None:
    story = clean_story()
    entitlement = story.entitlement()
    story.change(SUBSCRIPTION_KEY, status=status)

    finding = story.only_finding()

    assert finding.rule == rule
    assert finding.facts == (entitlement, SUBSCRIPTION_KEY)


@pytest.mark.parametrize(("status", "ended"), [("cancelled", "expired"), ("past_due", "suspended")])
def test_an_entitlement_that_followed_its_subscription_is_fine(status: str, ended: str) -> None:
    story = clean_story()
    story.entitlement(status=ended)
    story.change(SUBSCRIPTION_KEY, status=status)

    assert story.findings() == ()


def test_a_subscription_cancelled_this_morning_gives_the_entitlement_a_day() -> None:
    story = clean_story()
    story.entitlement()
    story.change(SUBSCRIPTION_KEY, status="cancelled")
    story.records[SUBSCRIPTION_KEY] = replace(story.records[SUBSCRIPTION_KEY], changed_at=AS_OF - timedelta(hours=8))

    assert story.findings() == ()


def test_a_quantity_that_was_amended_in_the_subscription_only_is_told() -> None:
    story = clean_story()
    story.entitlement()
    story.change(SUBSCRIPTION_KEY, lines=[line(OFFER_KEY, "5")])

    finding = story.only_finding()

    assert finding.rule == "amendment_not_in_entitlement"
    assert finding.sentence == "Entitlement E1 grants 2, but subscription S1 sells 5."


def test_metered_products_grant_no_quantity() -> None:
    story = clean_story()
    story.metered = True
    story.entitlement(quantity=1_000_000)
    story.change(SUBSCRIPTION_KEY, lines=[line(OFFER_KEY, "0")])

    assert story.findings() == ()


@pytest.mark.parametrize(
    "stated",
    [
        {"contract_number": "CT 2025 000001"},
        {"contract_number": "2025-000001"},
        {"contract_number": None},
        {"contract_number": "CT-2019-999999"},
    ],
)
def test_an_entitlement_that_names_no_subscription_is_found_by_number_or_term(stated: dict[str, str | None]) -> None:
    story = clean_story()
    story.entitlement(named=False, **stated)
    story.change(SUBSCRIPTION_KEY, status="cancelled")

    assert story.found() == ["entitlement_active_sub_cancelled"]


def test_an_entitlement_that_could_belong_to_two_contracts_is_left_alone() -> None:
    story = clean_story()
    other, key = EntityId("con_2"), CrosswalkKey("billing", "subscription", "S2")
    story.contracts[other] = {**story.contracts[CONTRACT], "number": "CT-2025-000002"}
    story.contracts[other]["customer"] = ACCOUNT_KEY._asdict()
    story.records[key] = replace(story.records[SUBSCRIPTION_KEY], key=key)
    story.entities[key] = other
    story.change(SUBSCRIPTION_KEY, status="cancelled")
    story.entitlement(named=False)

    assert story.findings() == ()
