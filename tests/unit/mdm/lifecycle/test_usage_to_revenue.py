"""How far a usage batch got: unit, batch, invoice line, posting."""

from datetime import UTC, datetime

from mdm.lifecycle.assemble import read_story
from mdm.lifecycle.policy import shipped_policy
from mdm.lifecycle.process import StageState
from mdm.lifecycle.reconciliation import reconcile_story
from mdm.lifecycle.usage_to_revenue import STAGES, UsageToRevenue, usage_to_revenue
from mdm.model.ids import CrosswalkKey
from tests.unit.mdm.lifecycle.story import (
    CONTRACT,
    CUSTOMER,
    FEATURE,
    OFFER_KEY,
    PRODUCT,
    SUBSCRIPTION_KEY,
    Story,
    clean_story,
)

DONE, OPEN, MISSING, CONFLICT = StageState
BATCH = CrosswalkKey("product", "usage_batch", "1")


def told(story: Story) -> list[UsageToRevenue]:
    material, policy = story.material(), shipped_policy()
    read = read_story(material, policy)
    return list(usage_to_revenue(material, policy, *read, reconcile_story(material, policy, *read)))


def states(found: UsageToRevenue) -> list[StageState]:
    assert [stage.name for stage in found.stages] == list(STAGES)
    return [stage.state for stage in found.stages]


def used(*, received: str = "2025-02-01") -> tuple[Story, CrosswalkKey]:
    """Usage of January, billed by the invoice of February and posted."""
    story = clean_story()
    story.metered = True
    story.change(OFFER_KEY, usage_type="metered")
    story.product = {"unit": "call", "revenue_account": "4010"}
    invoice = story.invoice()
    story.entry()
    story.usage("1", received=received)
    return story, invoice


def test_a_batch_leads_to_the_invoice_that_bills_it_and_to_the_books() -> None:
    story, invoice = used()

    (found,) = told(story)

    assert (found.batch, found.customer, found.contract, found.product) == (BATCH, CUSTOMER, CONTRACT, PRODUCT)
    assert (found.invoice, found.subscription, found.repeats) == (invoice, SUBSCRIPTION_KEY, None)
    unit, batch, billed, posting = found.stages
    assert (unit.rows, batch.rows) == ((FEATURE,), (BATCH,))
    assert batch.since == datetime(2025, 1, 31, tzinfo=UTC)
    assert {each.key for each in billed.rows} == {"in_INV-2025-000001", "il_INV-2025-000001"}
    assert billed.since == datetime(2025, 2, 3, 10, tzinfo=UTC)
    assert ([each.key for each in posting.rows], posting.state) == (["JE1|1"], DONE)
    assert (batch.state, billed.state) == (DONE, DONE)


def test_use_that_came_after_the_invoice_is_in_conflict_there() -> None:
    story, _ = used(received="2025-02-20")

    (found,) = told(story)

    billed = found.stages[2]
    assert (billed.state, [each.code for each in billed.blocked_by]) == (CONFLICT, ["USAGE_NOT_INVOICED"])
    assert [each.owner for each in billed.blocked_by] == ["revenue-operations"]


def test_use_that_nobody_bills_is_open_and_then_missing() -> None:
    story, _ = used()
    story.facts = [each for each in story.facts if each.kind == "usage_batch"]

    (old,) = told(story)
    story.as_of = datetime(2025, 2, 10, tzinfo=UTC)
    (young,) = told(story)

    assert (states(old)[2], [each.code for each in old.stages[2].blocked_by]) == (MISSING, ["STANDS_STILL"])
    assert (states(young)[2:], young.invoice) == ([OPEN, OPEN], None)


def test_a_batch_that_repeats_another_is_in_conflict_and_says_which() -> None:
    story, _ = used()
    story.usage("2", received="2025-02-02")

    first, second = told(story)

    assert (first.repeats, second.repeats) == (None, BATCH)
    assert (second.stages[1].state, [each.code for each in second.stages[1].blocked_by]) == (
        CONFLICT, ["USAGE_REPORTED_TWICE"],
    )  # fmt: skip


def test_an_invoice_of_other_things_does_not_bill_it_yet() -> None:
    story, _ = used()
    story.facts = [each for each in story.facts if each.kind != "invoice_line"]

    (found,) = told(story)

    assert found.stages[2].state is OPEN


def test_use_of_what_nobody_knows_has_no_unit() -> None:
    story, _ = used()
    story.facts = [each for each in story.facts if each.kind != "usage_batch"]
    story.usage("1", received="2025-02-01", product=CrosswalkKey("product", "feature", "unheard-of"))

    (found,) = told(story)

    assert (found.stages[0].state, found.stages[0].rows) == (MISSING, ())


def test_what_the_mapping_says_of_the_product_is_said_of_its_unit_and_account() -> None:
    story, _ = used()
    story.product = {"unit": "lightyear"}

    (found,) = told(story)

    assert (found.at.name, found.at.state) == ("unit", CONFLICT)
    assert [each.code for each in found.at.blocked_by] == ["BILLING_METRIC_MISSING"]
    assert "REVENUE_ACCOUNT_MISSING" in {each.code for each in found.stages[3].blocked_by}
