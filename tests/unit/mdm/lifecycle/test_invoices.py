"""Invoice against contract: currency and price."""

from datetime import UTC, datetime
from decimal import Decimal

from mdm.lifecycle.material import Version
from mdm.model.ids import CrosswalkKey, EntityId
from tests.unit.mdm.lifecycle.story import (
    ACCOUNT_KEY,
    CODE,
    CONTRACT,
    CONTRACT_KEY,
    CUSTOMER,
    SUBSCRIPTION_KEY,
    Story,
    clean_story,
    line,
    row,
)


def story_of_a_subscription_alone(*prices: str) -> Story:
    """A self-serve customer: no signed contract, one invoice a month from February on."""
    story = clean_story()
    del story.records[CONTRACT_KEY]
    story.contracts = {CONTRACT: {"status": "active", "currency": "EUR", "start_date": "2025-01-01"}}
    story.contracts[CONTRACT]["customer"] = ACCOUNT_KEY._asdict()
    for month, price in enumerate(prices, 2):
        number = f"INV-2025-{month:06d}"
        story.invoice(number, start=f"2025-{month:02d}-01", issued=f"2025-{month:02d}-03", price=price)
        story.entry(number, number=f"JE{month}")
    return story


def test_another_currency_than_the_contract_is_told() -> None:
    story = clean_story()
    story.invoice(currency="USD")
    story.entry()

    finding = story.only_finding()

    assert finding.rule == "currency_mismatch"
    assert finding.sentence == "Invoice INV-2025-000001 is in USD, but contract CT-2025-000001 is in EUR."


def test_a_price_that_the_contract_does_not_name_is_told_with_the_difference() -> None:
    story = clean_story()
    story.invoice(price="90.0000")
    story.entry()

    finding = story.only_finding()

    assert finding.rule == "price_differs_from_contract"
    assert finding.amount == Decimal("-20.00")


def test_the_yearly_price_is_divided_and_rounded_to_four_decimals() -> None:
    story = clean_story()
    story.change(CONTRACT_KEY, lines=[line(CODE, "2", "1000.0000")])
    story.invoice(price="83.3333")
    story.entry()

    assert story.findings() == ()


def test_the_price_of_a_unit_of_use_is_not_divided() -> None:
    story = clean_story()
    story.metered = True
    story.change(CONTRACT_KEY, lines=[line(CODE, "0", "0.0045")])
    story.invoice(price="0.0045")
    story.entry()

    assert story.findings() == ()


def test_what_counts_is_the_price_on_the_day_of_the_invoice() -> None:
    story = clean_story()
    before = {"lines": [line(CODE, "2", "1200.0000")], "billing_frequency": "monthly", "amendment": 0}
    after = before | {"lines": [line(CODE, "2", "1320.0000")], "amendment": 1}
    story.versions[CONTRACT_KEY] = [
        Version(datetime(2024, 12, 20, tzinfo=UTC), before),
        Version(datetime(2025, 3, 15, tzinfo=UTC), after),
    ]
    for number, month, price in (("INV-2025-000003", 3, "100.0000"), ("INV-2025-000004", 4, "110.0000")):
        story.invoice(number, start=f"2025-{month:02d}-01", issued=f"2025-{month:02d}-03", price=price)
        story.entry(number, number=f"JE{month}")

    assert story.findings() == ()


def test_nobody_knows_what_was_agreed_before_an_amendment_that_came_first() -> None:
    story = clean_story()
    amended = {"lines": [line(CODE, "2", "1320.0000")], "billing_frequency": "monthly", "amendment": 1}
    story.versions[CONTRACT_KEY] = [Version(datetime(2025, 3, 15, tzinfo=UTC), amended)]
    story.invoice(price="100.0000")
    story.entry()

    assert story.findings() == ()


def test_an_old_invoice_is_held_against_the_contract_before_the_renewal() -> None:
    story = clean_story()
    renewal, record = EntityId("con_2"), CrosswalkKey("crm", "contract", "C2")
    renewed = {
        **story.records[CONTRACT_KEY].attributes,
        "number": "CT-2026-000002",
        "lines": [line(CODE, "2", "2400.0000")],
        "start_date": "2026-01-01",
        "end_date": "2026-12-31",
    }
    story.records[record] = row("contract", record, renewed, customer=ACCOUNT_KEY)
    story.contracts[renewal] = {**renewed, "customer": ACCOUNT_KEY._asdict()}
    story.contracts[CONTRACT]["status"] = "expired"
    story.entities |= {record: renewal, SUBSCRIPTION_KEY: renewal}
    story.invoice(price="100.0000")
    story.entry()

    assert story.findings() == ()


def test_a_subscription_without_contract_is_held_against_its_other_invoices() -> None:
    story = story_of_a_subscription_alone("100.0000", "100.0000", "120.0000", "100.0000")

    finding = story.only_finding()

    assert finding.rule == "price_differs_from_contract"
    assert finding.amount == Decimal("40.00")
    assert "the invoices around it" in finding.sentence


def test_a_price_that_stays_changed_was_changed_on_purpose() -> None:
    story = story_of_a_subscription_alone("100.0000", "100.0000", "120.0000", "120.0000")

    assert story.findings() == ()


def test_two_invoices_are_too_few_to_say_which_is_wrong() -> None:
    assert story_of_a_subscription_alone("100.0000", "120.0000").findings() == ()


def test_every_finding_names_the_customer() -> None:
    story = story_of_a_subscription_alone("100.0000", "120.0000", "100.0000")

    assert {finding.customer for finding in story.findings()} == {CUSTOMER}
