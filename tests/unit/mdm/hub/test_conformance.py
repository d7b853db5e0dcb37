"""The conformance kit passes on real captures, and fails where something does not hold."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache

import pytest

from mdm.errors import OperatorError
from mdm.hub.conformance.cases import CASES, Finding, Verdict
from mdm.hub.conformance.evidence import Evidence, Rows
from mdm.hub.conformance.journal import Journal
from mdm.hub.conformance.run import SETTINGS, capture, contracts_of, examine, examine_captures, examine_feed
from mdm.model.events import ChangeEvent, Outcome
from mdm.streams.memory import MemoryFeed
from tests.unit.mdm.core.events import change, key

NAME = "plain_precise_adaptive"


@cache
def findings() -> Mapping[str, dict[str, Finding]]:
    return {each.feed: {case.name: finding for case, finding in each.findings} for each in examine_captures()}


class Forgetful(Evidence):
    """A hub in which the order of delivery matters: it loses the first row in every order but the delivered one."""

    def rows_of(self, events: Iterable[ChangeEvent]) -> Rows:
        rows = dict(super().rows_of(events))
        rows.pop(min(rows))
        return rows


@pytest.mark.parametrize("name", SETTINGS)
def test_nothing_is_broken_in_the_captures_of_real_connectors(name: str) -> None:
    broken = {case: finding.problems for case, finding in findings()[name].items() if finding.problems}

    assert broken == {}


@pytest.mark.parametrize("case", [case.name for case in CASES])
def test_every_case_is_in_some_capture(case: str) -> None:
    assert any(found[case].verdict is Verdict.HOLDS for found in findings().values())


@pytest.mark.parametrize(
    "case",
    ["snapshot_reads", "incremental_snapshot", "key_changes", "unchanged_large_values", "sent_again", "truncates",
     "partitions_reordered", "shuffled"],
)  # fmt: skip
def test_where_the_order_of_delivery_matters_the_case_is_broken(case: str) -> None:
    look = next(each.look for each in CASES if each.name == case)

    found = look(Forgetful(capture(NAME), contracts_of(SETTINGS[NAME])))

    assert found.verdict is Verdict.BROKEN
    assert "live in one order of delivery" in found.problems[0]


def test_what_cannot_be_read_is_named_with_its_code() -> None:
    messages = [replace(message, value=b"nonsense") for message in capture(NAME)[:3]]

    examined = examine("test", messages, contracts_of(SETTINGS[NAME]))

    assert not examined.conforms
    assert examined.findings[0][1].problems[0].startswith("3 x ENVELOPE_MALFORMED")


def test_another_decimal_mode_than_the_contract_states_breaks_the_decimals() -> None:
    other = contracts_of(replace(SETTINGS[NAME], decimals="string"))

    found = {case.name: finding for case, finding in examine("test", capture(NAME), other).findings}

    assert found["decodes"].verdict is Verdict.BROKEN
    assert "decimal" in found["decimals"].problems[0]


def test_a_feed_without_messages_is_an_error_with_advice() -> None:
    with pytest.raises(OperatorError):
        examine_feed(MemoryFeed("empty", ()), contracts_of(SETTINGS[NAME]), 10)


def test_the_journal_accounts_for_every_event_as_the_store_does() -> None:
    create, update = change(5, {"name": "a"}), change(9, {"name": "b"})
    again = replace(update, place=update.place._replace(offset=99))
    journal = Journal().take([update, create, again])

    assert journal.rows() == {key("a"): {"name": "b"}}
    assert journal.outcomes[again.place] is Outcome.DUPLICATE
    assert Journal().take([update]).take([create]).outcomes[create.place] is Outcome.STALE
