"""Contract against validation and subscription."""

from dataclasses import replace
from datetime import UTC, datetime

from mdm.model.ids import CrosswalkKey, EntityId
from tests.unit.mdm.lifecycle.story import (
    ACCOUNT_KEY,
    BILLING_CUSTOMER,
    CONTRACT,
    CONTRACT_KEY,
    SUBSCRIPTION_KEY,
    TENANT,
    Story,
    clean_story,
    row,
)


def test_an_active_contract_that_nobody_subscribed_is_told() -> None:
    story = clean_story()
    del story.records[SUBSCRIPTION_KEY]

    finding = story.only_finding()

    assert finding.rule == "contract_without_subscription"
    assert finding.facts == (CONTRACT_KEY,)
    assert str(finding.amount) == "2400.00"


def test_a_contract_that_has_just_begun_or_is_over_needs_none() -> None:
    story = clean_story()
    del story.records[SUBSCRIPTION_KEY]
    story.as_of = datetime(2025, 1, 5, tzinfo=UTC)
    assert story.findings() == ()

    story.as_of = datetime(2025, 6, 30, tzinfo=UTC)
    story.contracts[CONTRACT]["status"] = "expired"
    assert story.findings() == ()


def apart() -> Story:
    """The hub did not see that contract and subscription are one."""
    story = clean_story()
    story.entities[SUBSCRIPTION_KEY] = EntityId("con_2")
    story.contracts[EntityId("con_2")] = {"status": "active", "currency": "EUR", "customer": ACCOUNT_KEY._asdict()}
    return story


def test_a_subscription_of_the_same_customer_and_day_is_taken_for_that_of_the_contract() -> None:
    assert apart().findings() == ()


def test_an_adopted_subscription_is_billed_under_the_contract() -> None:
    story = apart()
    story.invoice(currency="USD")
    story.entry()

    finding = story.only_finding()

    assert (finding.rule, finding.contract) == ("currency_mismatch", CONTRACT)


def test_the_books_tell_whose_subscription_it_is_where_names_did_not_match() -> None:
    story = apart()
    story.entities |= {BILLING_CUSTOMER: EntityId("cus_2"), TENANT: EntityId("cus_2")}
    assert story.found() == ["contract_without_subscription"]

    story.invoice()
    story.entry()

    assert story.findings() == ()


def test_a_subscription_of_another_customer_that_states_the_number_is_taken_too() -> None:
    story = apart()
    story.entities |= {BILLING_CUSTOMER: EntityId("cus_2")}
    story.change(SUBSCRIPTION_KEY, other_numbers=["ct2025000001"])

    assert story.findings() == ()


def test_a_contract_on_an_anniversary_renews_a_running_subscription() -> None:
    story = apart()
    story.change(SUBSCRIPTION_KEY, start_date="2023-01-01")
    assert story.findings() == ()

    story.change(SUBSCRIPTION_KEY, status="cancelled")
    assert story.found() == ["contract_without_subscription"]


def test_a_subscription_that_began_at_another_time_belongs_to_something_else() -> None:
    story = apart()
    story.change(SUBSCRIPTION_KEY, start_date="2025-04-01")

    assert story.found() == ["contract_without_subscription"]


def test_a_subscription_goes_on_under_the_renewal_although_its_reference_is_stale() -> None:
    story = clean_story()
    renewal, record = EntityId("con_2"), CrosswalkKey("crm", "contract", "C2")
    renewed = {**story.records[CONTRACT_KEY].attributes, "start_date": "2025-05-01", "end_date": "2026-04-30"}
    story.contracts[renewal] = {**renewed, "customer": ACCOUNT_KEY._asdict()}
    story.contracts[CONTRACT] |= {"status": "expired", "end_date": "2025-04-30"}
    story.records[record] = row("contract", record, renewed, customer=ACCOUNT_KEY)
    story.entities[record] = renewal

    assert story.findings() == ()


def test_a_contract_activated_before_its_account_was_validated_is_told() -> None:
    story = clean_story()
    story.accounts = [row("customer", ACCOUNT_KEY, {"validated": True, "validated_on": "2025-01-15"})]

    finding = story.only_finding()

    assert finding.rule == "account_used_before_validation"
    assert finding.facts == (CONTRACT_KEY, ACCOUNT_KEY)
    assert finding.sentence.endswith("was activated on 2024-12-20; its account was validated only on 2025-01-15.")


def test_an_account_that_was_never_validated_is_told() -> None:
    story = clean_story()
    story.accounts = [row("customer", ACCOUNT_KEY, {"validated": False})]

    assert story.only_finding().sentence.endswith("its account was validated not at all.")


def test_a_contract_typed_twice_counts_from_its_first_activation() -> None:
    story = clean_story()
    again = CrosswalkKey("crm", "contract", "C1-again")
    story.records[again] = replace(
        story.records[CONTRACT_KEY],
        key=again,
        attributes={**story.records[CONTRACT_KEY].attributes, "activated_on": "2024-11-20"},
    )
    story.entities[again] = CONTRACT

    finding = story.only_finding()

    assert finding.facts[0] == again
