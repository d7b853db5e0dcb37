"""Workflows by how critical they are: what their tier asks for, how they stand, and what shows that it is so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from mdm.core.four_eyes import Policy
from mdm.intake.catalogue import Catalogue
from mdm.intake.tiers import TierPolicy
from mdm.store.read_tiers import OpenRefused, fresh_changes, open_refused

#: Of which changes it is told how fresh they were.
RECENT: Final = timedelta(hours=24)
_TESTS: Final = "tests/integration/hub/test_tiers.py"


@dataclass(frozen=True, slots=True)
class Control:
    """Something that the hub does for a workflow because of its tier, and the test of the source tree that shows it."""

    name: str
    asked: str
    test: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A workflow with its tables, and how they do: `fresh` of `changes` of the last day were golden in time."""

    workflow: str
    means: str
    tier: TierPolicy
    tables: tuple[str, ...]
    controls: tuple[Control, ...]
    changes: int
    fresh: int
    open: OpenRefused

    @property
    def in_time(self) -> float | None:
        """The share of changes that were golden in time; None where none was timed."""
        return self.fresh / self.changes if self.changes else None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "workflow": self.workflow, "means": self.means, "tier": self.tier.number, "tables": list(self.tables),
            "fresh_within_seconds": self.tier.fresh_within, "mend_within_hours": self.tier.mend_within,
            "order": "held" if self.tier.order_held else "goes_on", "skipped_after_days": self.tier.skipped_after,
            "controls": [{"name": each.name, "asked": each.asked, "test": each.test} for each in self.controls],
            "changes": self.changes, "in_time": self.in_time, "refused": self.open.refused, "held": self.open.held,
            "overdue": self.open.overdue,
        }  # fmt: skip


def standings(connection: Connection, catalogue: Catalogue, policy: Policy, now: datetime) -> list[Standing]:
    """Every workflow of the policy, the most critical first."""
    fresh, refused = fresh_changes(connection, now - RECENT), open_refused(connection, now)
    found = []
    for workflow in sorted(catalogue.tiers.workflows.values(), key=lambda each: each.tier.number):
        tables = [(each.system, each.table) for each in catalogue.profiles if each.workflow.name == workflow.name]
        timed = [each for table in tables for each in fresh.get(table, {}).items()]
        topics = [topic for each in catalogue.profiles if each.workflow.name == workflow.name for topic in each.topics]
        mine = [refused.get(topic, OpenRefused()) for topic in topics]
        found.append(
            Standing(
                workflow=workflow.name,
                means=workflow.means,
                tier=workflow.tier,
                tables=tuple(f"{system}.{table}" for system, table in sorted(tables)),
                controls=tuple(controls_of(workflow.tier, policy)),
                changes=sum(number for _, number in timed),
                fresh=sum(number for within, number in timed if within <= workflow.tier.fresh_within),
                open=OpenRefused(
                    sum(each.refused for each in mine),
                    sum(each.held for each in mine),
                    sum(each.overdue for each in mine),
                ),
            )
        )
    return found


def controls_of(tier: TierPolicy, policy: Policy) -> Sequence[Control]:
    """What the hub does for a tier, in words."""
    return [
        Control(name, asked, f"{_TESTS}::{_PROOFS[name][tier.number]}") for name, asked in _asked(tier, policy).items()
    ]


def needs_two(tier: TierPolicy, policy: Policy) -> bool:
    """Whether one refused message of this tier is discarded only when a second person agrees, whatever hangs on it."""
    return any(
        each.tier >= tier.number and each.discards == 1 and not (each.amount or each.merges or each.attributes)
        for each in policy.demands
    )


def _asked(tier: TierPolicy, policy: Policy) -> Mapping[str, str]:
    return {
        "order": "later messages of a refused one's row wait" if tier.order_held else "later messages go on",
        "others": "other rows go on",
        "left_out": "never by itself" if tier.skipped_after is None else f"by itself after {tier.skipped_after} days",
        "discard": "two persons" if needs_two(tier, policy) else "one person, more by amount or number",
        "due": f"dealt with within {tier.mend_within} hours",
        "converges": "once nothing is refused, as if nothing had been",
    }


_NOTHING_OVERTAKES = "test_nothing_of_a_row_overtakes_a_refused_message_and_other_rows_go_on"
_NEVER = "test_a_refused_message_is_never_left_out_by_itself_nor_by_one_person"
_MASTER, _REFERENCE = (
    "test_master_data_goes_on_and_waits_for_a_person",
    "test_reference_data_goes_on_and_what_nobody_mends_is_left_out",
)
_DUE, _CONVERGES = (
    "test_each_is_due_as_its_tier_says",
    "test_every_order_of_arrival_ends_in_the_same_rows_once_nothing_is_refused",
)
#: By control, the test of each tier.
_PROOFS: Final[Mapping[str, Mapping[int, str]]] = {
    "order": {1: _NOTHING_OVERTAKES, 2: _MASTER, 3: _REFERENCE},
    "others": {1: _NOTHING_OVERTAKES, 2: _MASTER, 3: _REFERENCE},
    "left_out": {1: _NEVER, 2: _MASTER, 3: _REFERENCE},
    "discard": {1: _NEVER, 2: _MASTER, 3: _REFERENCE},
    "due": {1: _DUE, 2: _DUE, 3: _DUE},
    "converges": {1: _CONVERGES, 2: _CONVERGES, 3: _CONVERGES},
}
