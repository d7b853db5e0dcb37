"""How far a contract got: every stage by the rows that speak for it, and by what is said against it."""

from datetime import UTC, datetime, timedelta

import pytest

from mdm.lifecycle import quote_to_cash as quote
from mdm.lifecycle import usage_to_revenue as usage
from mdm.lifecycle.assemble import read_story
from mdm.lifecycle.policy import shipped_policy
from mdm.lifecycle.process import Stage, StageState
from mdm.lifecycle.quote_to_cash import PAYMENT_MISSING, STAGES, QuoteToCash, quote_to_cash
from mdm.lifecycle.reconciliation import RULE_NAMES, reconcile_story
from mdm.lifecycle.stuck import stuck
from mdm.model.ids import CrosswalkKey
from tests.unit.mdm.lifecycle.story import (
    AS_OF,
    BILLING_CUSTOMER,
    CONTRACT,
    CONTRACT_KEY,
    CUSTOMER,
    LONG_AGO,
    PARTNER,
    SUBSCRIPTION_KEY,
    Story,
    clean_story,
    row,
)

ORDER = CrosswalkKey("erp", "sales_order", "77")
DONE, OPEN, MISSING, CONFLICT = StageState


def told(story: Story) -> QuoteToCash:
    """The one contract of a story."""
    material, policy = story.material(), shipped_policy()
    read = read_story(material, policy)
    findings, still = reconcile_story(material, policy, *read), stuck(material, *read, policy)
    (found,) = quote_to_cash(material, policy, *read, findings, still)
    return found


def states(found: QuoteToCash) -> list[StageState]:
    assert [stage.name for stage in found.stages] == list(STAGES)
    return [stage.state for stage in found.stages]


def owner(stage: Stage) -> str:
    assert stage.next_step is not None
    return stage.next_step.owner


def ordered(story: Story) -> None:
    attributes = {"number": "77", "status": "OPEN", "order_date": "2024-12-15"}
    story.facts.append(row("order", ORDER, attributes, customer=PARTNER, contract=CONTRACT_KEY))


def paid(story: Story, invoice: CrosswalkKey, key: str = "pi_1") -> CrosswalkKey:
    payment = CrosswalkKey("billing", "payment", key)
    story.facts.append(row("payment", payment, {"status": "succeeded"}, invoice=invoice, customer=BILLING_CUSTOMER))
    return payment


def through() -> tuple[Story, CrosswalkKey]:
    """A story that went all the way, and its invoice."""
    story = clean_story()
    ordered(story)
    story.entitlement()
    invoice = story.invoice(start="2025-06-01", issued="2025-06-29")
    paid(story, invoice)
    story.entry()
    return story, invoice


def test_a_contract_that_went_all_the_way_is_done_and_says_by_what_and_since_when() -> None:
    story, invoice = through()

    found = told(story)

    assert (found.contract, found.customer, found.number, found.status) == (
        CONTRACT, CUSTOMER, "CT-2025-000001", "active",
    )  # fmt: skip
    assert states(found) == [DONE] * 7
    assert (found.at.name, found.at.state, found.at.next_step) == ("posting", DONE, None)
    order, contract, subscription, entitlement, billed, payment, posting = found.stages
    assert (order.rows, order.since) == ((ORDER,), datetime(2024, 12, 15, tzinfo=UTC))
    assert (contract.rows, subscription.rows) == ((CONTRACT_KEY,), (SUBSCRIPTION_KEY,))
    assert (entitlement.rows[0].key, entitlement.since) == ("E1", datetime(2025, 1, 1, tzinfo=UTC))
    assert (billed.rows, billed.since) == ((invoice,), datetime(2025, 6, 29, 10, tzinfo=UTC))
    assert ([each.key for each in payment.rows], payment.since) == (["pi_1"], LONG_AGO)
    assert [each.key for each in posting.rows] == ["JE1|1"]


def test_what_nobody_needs_any_more_is_missing_and_passed() -> None:
    story, _ = through()
    story.facts = [each for each in story.facts if each.kind not in ("order", "entitlement")]

    found = told(story)

    assert states(found) == [MISSING, DONE, DONE, MISSING, DONE, DONE, DONE]
    assert found.at.name == "posting"
    assert (found.stages[0].rows, found.stages[0].blocked_by) == ((), ())


def test_a_young_contract_is_open_at_what_comes_next() -> None:
    story = clean_story()
    ordered(story)
    story.as_of = datetime(2025, 1, 2, tzinfo=UTC)

    found = told(story)

    assert states(found) == [DONE, DONE, DONE, OPEN, OPEN, OPEN, OPEN]
    assert (found.at.name, found.at.since) == ("entitlement", datetime(2025, 1, 1, tzinfo=UTC))
    assert owner(found.at) == "product-operations"


def test_a_contract_that_nobody_bills_is_missing_its_subscription_by_the_finding() -> None:
    story = clean_story()
    del story.records[SUBSCRIPTION_KEY]

    at = told(story).at

    assert (at.name, at.state) == ("subscription", MISSING)
    (blocker,) = at.blocked_by
    assert (blocker.code, blocker.rule, blocker.subject, blocker.owner) == (
        "SUBSCRIPTION_MISSING", "contract_without_subscription", CONTRACT_KEY, "revenue-operations",
    )  # fmt: skip
    assert owner(at) == blocker.owner


def test_a_contract_that_ended_waits_for_nothing() -> None:
    story = clean_story()
    del story.records[SUBSCRIPTION_KEY]
    story.contracts[CONTRACT]["status"] = "expired"

    found = told(story)

    assert (found.at.name, found.at.state, found.at.blocked_by) == ("subscription", MISSING, ())
    assert states(found)[2:] == [MISSING] * 5


def test_a_draft_is_open() -> None:
    story = clean_story()
    del story.records[SUBSCRIPTION_KEY]
    story.contracts[CONTRACT]["status"] = "draft"
    story.change(CONTRACT_KEY, status="draft")

    found = told(story)

    assert states(found)[1:3] == [OPEN, OPEN]


@pytest.mark.parametrize(
    ("receivable", "status", "code"),
    [("200.00", "rejected", "POSTING_REJECTED"), ("150.00", "posted", "INVOICE_AMOUNT_DIFFERS")],
)
def test_books_that_disagree_are_in_conflict_since_the_invoice(receivable: str, status: str, code: str) -> None:
    story, invoice = through()
    story.facts = [each for each in story.facts if each.kind != "posting"]
    story.entry(receivable=receivable, status=status)

    at = told(story).at

    assert (at.name, at.state, [each.code for each in at.blocked_by]) == ("posting", CONFLICT, [code])
    assert (invoice in at.rows, CrosswalkKey("erp", "posting", "JE1|1") in at.rows, at.count) == (True, True, 2)
    assert owner(at) == "finance-accounting"


def test_an_invoice_that_is_not_in_the_books_is_open_and_then_missing() -> None:
    story, invoice = through()
    story.facts = [each for each in story.facts if each.kind != "posting"]

    young = told(story).at
    story.as_of = AS_OF + timedelta(days=30)
    old = told(story).at

    assert (young.name, young.state, young.rows) == ("posting", OPEN, (invoice,))
    assert (old.state, [each.code for each in old.blocked_by]) == (MISSING, ["POSTING_MISSING"])


def test_an_unpaid_invoice_is_open_and_then_stands_still() -> None:
    story, invoice = through()
    story.facts = [each for each in story.facts if each.kind != "payment"]
    story.change(invoice, status="open")
    story.facts = [each for each in story.facts if each.kind != "posting"]
    story.entry()

    found = told(story)

    assert (found.at.name, found.at.state) == ("payment", MISSING), "in the books for half a year"
    (blocker,) = found.at.blocked_by
    assert (blocker.code, blocker.rule, blocker.subject) == ("STANDS_STILL", None, invoice)
    story.as_of = LONG_AGO + timedelta(days=30)
    assert (told(story).at.name, told(story).at.state) == ("payment", OPEN)


def test_a_paid_invoice_without_a_payment_lacks_it_and_one_that_was_given_up_does_not() -> None:
    story, invoice = through()
    story.facts = [each for each in story.facts if each.kind != "payment"]

    lacking = told(story).at
    story.change(invoice, status="uncollectible")

    assert (lacking.name, lacking.state, [each.code for each in lacking.blocked_by]) == (
        "payment", MISSING, [PAYMENT_MISSING],
    )  # fmt: skip
    assert told(story).stages[5].state is DONE


def test_an_invoice_that_was_not_issued_is_no_invoice_yet() -> None:
    story, invoice = through()
    story.facts = [each for each in story.facts if each.kind not in ("payment", "posting")]
    story.change(invoice, status="draft", issued_at=None, period_end="2025-06-30")

    found = told(story)

    assert (found.at.name, found.at.state, found.at.rows) == ("invoice", OPEN, (invoice,))


def test_a_stage_names_its_newest_rows_and_counts_all() -> None:
    story, _ = through()
    for number in range(30):
        key = f"E9{number:02}"
        story.entitlement(key, valid_from=f"2025-02-{number % 28 + 1:02}")

    stage = told(story).stages[3]

    assert (len(stage.rows), stage.count) == (20, 31)
    assert "E1" not in {each.key for each in stage.rows}


def test_every_rule_that_is_named_exists() -> None:
    named = {*quote._ABSENT, *quote.POSTING_RULES, *usage._STEPS, *usage._RULES}

    assert named <= set(RULE_NAMES)
    assert set(quote._AWAITED) == set(shipped_policy().progress)
