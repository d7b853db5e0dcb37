"""What holds for all rules together."""

import pytest

from mdm.errors import ConfigurationInvalid
from mdm.lifecycle.numbers import number_forms
from mdm.lifecycle.policy import read_policy, shipped_policy
from mdm.lifecycle.reconciliation import RULE_NAMES
from tests.unit.mdm.lifecycle.story import SUBSCRIPTION_KEY, clean_story


@pytest.mark.parametrize(
    ("one", "other", "met"),
    [
        ("INV-2024-000007", "INV-2024-7", True),
        ("INV-2024-000007", "inv 2024/0007", True),
        ("INV-2024-000007", "2024-7", True),
        ("INV-2024-000007", "INV-2024-8", False),
        ("INV-2024-000007", "INV-2023-7", False),
        ("INV-2024-000007", "CT-2024-8", False),
        ("PO-7", "PO-007", False),
    ],
)
def test_a_document_is_met_under_its_number_with_other_padding(one: str, other: str, met: bool) -> None:
    assert bool(number_forms(one) & number_forms(other)) is met


def test_every_rule_is_declared_and_every_declaration_is_a_rule() -> None:
    assert set(RULE_NAMES) == shipped_policy().rules.keys()


def test_codes_are_unique() -> None:
    codes = [rule.code for rule in shipped_policy().rules.values()]
    assert len(codes) == len(set(codes))


def test_findings_are_ordered_and_repeatable() -> None:
    def told() -> object:
        story = clean_story()
        for number in ("INV-2025-000003", "INV-2025-000002"):
            story.invoice(number, currency="USD")
        return story.findings()

    first = told()

    assert first == told()
    assert [(each.rule, each.subject.key) for each in first] == [  # type: ignore[attr-defined]
        ("currency_mismatch", "in_INV-2025-000002"),
        ("currency_mismatch", "in_INV-2025-000003"),
        ("posting_missing", "in_INV-2025-000002"),
        ("posting_missing", "in_INV-2025-000003"),
    ]


def test_rows_of_which_nothing_is_recognised_are_no_findings() -> None:
    """They arrived; that nobody knows yet who and what they are is a matter of identity."""
    story = clean_story()
    story.entitlement(named=False)
    story.usage("1", received="2025-02-20")
    story.entry("INV-1999-999999")
    story.entities.clear()
    story.contracts.clear()
    del story.records[SUBSCRIPTION_KEY]

    assert story.findings() == ()


@pytest.mark.parametrize(
    ("typed", "forms"),
    [
        ("INV-2024-000007", {"inv2024000007", "2024000007"}),
        ("2024-000007", {"2024000007"}),
        ("INV-7", {"inv7"}),
        ("in_a1B2", {"ina1b2"}),
        ("--", set()),
        (None, set()),
    ],
)
def test_a_number_is_met_again_with_and_without_its_series(typed: str | None, forms: set[str]) -> None:
    assert number_forms(typed) == forms


def test_rules_that_lack_a_part_are_refused_with_its_name() -> None:
    with pytest.raises(ConfigurationInvalid, match="roles"):
        read_policy("version: '1'\nrules: {}\n")
    with pytest.raises(ConfigurationInvalid):
        read_policy("just a text")
