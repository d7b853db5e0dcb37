"""What hangs on findings: their chain, month, tier and customers, as a story from contract to posting tells them."""

from decimal import Decimal

import pytest

from mdm.lifecycle.assemble import read_story
from mdm.lifecycle.findings import Finding
from mdm.lifecycle.impact import books_of
from mdm.lifecycle.policy import shipped_policy
from mdm.lifecycle.stakes import Chains, Stake
from mdm.model.ids import CrosswalkKey, EntityId
from tests.unit.mdm.lifecycle.story import BILLING_PRODUCT, CONTRACT, CUSTOMER, FEATURE, PRODUCT, Story, clean_story

TIERS = {"billing.invoice": 1, "erp.posting": 1, "product.entitlement": 2, "erp.item": 3}
SEGMENTS = {CUSTOMER: ("Enterprise", "business")}


def stake_of(story: Story, rule: str) -> tuple[Finding, Stake]:
    """The only finding of a rule, and what hangs on it."""
    material, policy = story.material(), shipped_policy()
    (finding,) = [each for each in story.findings() if each.rule == rule]
    chains = Chains(material, policy, *read_story(material, policy), books_of(material), TIERS)
    return finding, chains.stake(finding, SEGMENTS)


def test_an_invoice_that_is_not_posted_carries_its_contract_and_counts_in_its_month() -> None:
    story = clean_story()
    story.invoice(issued="2025-02-03")
    story.entitlement(quantity=2)

    finding, stake = stake_of(story, "posting_missing")

    assert finding.amount == Decimal("200.00")
    assert stake == Stake({"EUR": Decimal("2400.00")}, {"2025-02": 1}, 1, 1, ("Enterprise", "business"), 2)


def test_without_a_known_contract_it_carries_its_invoice() -> None:
    story = clean_story()
    key = story.invoice(total="200.00")
    story.facts = [
        each
        if each.key != key
        else type(each)(each.key, each.kind, each.attributes, each.references[:1], each.changed_at)
        for each in story.facts
    ]

    finding, stake = stake_of(story, "posting_missing")

    assert (finding.contract, stake.chain) == (None, {"EUR": Decimal("200.00")})


def test_journal_entries_of_both_months_are_documents() -> None:
    story = clean_story()
    story.invoice(issued="2025-02-03")
    story.entry(number="JE1")
    story.entry(number="JE2")
    for fact in [each for each in story.facts if each.kind == "posting"]:
        story.change(fact.key, posting_date="2025-03-01" if fact.key.key.startswith("JE2") else "2025-02-04")

    _, stake = stake_of(story, "double_posting")

    assert stake.months == {"2025-02": 2, "2025-03": 1}, "the invoice and one line of each entry"


@pytest.mark.parametrize(
    ("values", "users"),
    [
        ({}, 2),
        ({"status": "suspended"}, 2),
        ({"status": "revoked"}, 0),
        ({"valid_from": "2025-07-01"}, 0),
        ({"valid_to": "2025-06-29"}, 0),
        ({"valid_to": "2025-06-30"}, 2),
        ({"quantity": None}, 0),
    ],
)
def test_users_are_seats_that_may_be_used_on_the_day_of_the_newest_event(values: dict[str, object], users: int) -> None:
    story = clean_story()
    story.invoice()
    story.entitlement(**values)

    assert stake_of(story, "posting_missing")[1].users == users


def test_what_is_not_counted_in_seats_has_no_users() -> None:
    story = clean_story()
    story.product["unit"] = "call"
    story.invoice()
    story.entitlement()

    assert stake_of(story, "posting_missing")[1].users == 0


def test_a_product_carries_the_contracts_that_sell_it_the_invoices_that_bill_it_and_who_has_it() -> None:
    story = clean_story()
    del story.product["revenue_account"]
    story.entities[CrosswalkKey("erp", "item", "1000")] = PRODUCT
    for month in ("02", "03"):
        story.invoice(f"INV-2025-0000{month}", start=f"2025-{month}-01", issued=f"2025-{month}-03")
    story.entitlement()

    _, stake = stake_of(story, "revenue_account_missing")

    assert stake == Stake(
        {"EUR": Decimal("2400.00")}, {"2025-02": 1, "2025-03": 1}, 2, 1, ("Enterprise", "business"), 2
    )


def test_a_contract_that_ended_sells_a_product_no_more() -> None:
    story = clean_story()
    del story.product["revenue_account"]
    story.contracts[CONTRACT]["status"] = "expired"

    _, stake = stake_of(story, "revenue_account_missing")

    assert (stake.chain, stake.customers) == ({}, 0)


@pytest.mark.parametrize(
    ("rule", "without", "subject"),
    [
        ("usage_unit_missing", "unit", FEATURE),
        ("revenue_account_missing", "revenue_account", CrosswalkKey("erp", "item", "1000")),
    ],
)
def test_what_a_product_lacks_is_about_the_row_where_it_is_mended(
    rule: str, without: str, subject: CrosswalkKey
) -> None:
    story = clean_story()
    del story.product[without]
    story.entities[CrosswalkKey("erp", "item", "1000")] = PRODUCT

    finding, _ = stake_of(story, rule)

    assert finding.subject == subject != min(finding.facts)
    assert set(finding.facts) >= {BILLING_PRODUCT, FEATURE, CrosswalkKey("erp", "item", "1000")}


def test_a_product_that_is_not_where_it_is_mended_is_named_by_its_first_row() -> None:
    story = clean_story()
    del story.product["revenue_account"]

    finding, _ = stake_of(story, "revenue_account_missing")

    assert finding.subject == min(finding.facts) == BILLING_PRODUCT


def test_a_customer_of_whom_nothing_is_known_adds_nothing() -> None:
    story = clean_story()
    story.invoice()
    material, policy = story.material(), shipped_policy()
    chains = Chains(material, policy, *read_story(material, policy), books_of(material), {})
    (finding,) = story.findings()

    stake = chains.stake(finding, {EntityId("cus_other"): ("SMB",)})

    assert (stake.customers, stake.segments, stake.tier) == (1, (), 2)
