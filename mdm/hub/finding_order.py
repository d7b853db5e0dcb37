"""The order of what reconciliation found, as of now: it moves with the calendar of the close, so it is never kept."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine

from mdm.core.finding_order import rank_finding
from mdm.core.four_eyes import Policy, measures_of
from mdm.hub.reconcile import Reconciliation
from mdm.hub.steward.policy import load_policy
from mdm.hub.worklist import cut_off_at
from mdm.lifecycle import ageing
from mdm.lifecycle.overview import Overview
from mdm.lifecycle.policy import Policy as Reconciling
from mdm.lifecycle.policy import shipped_policy
from mdm.lifecycle.stakes import Stake
from mdm.model.ids import CrosswalkKey
from mdm.model.worklist import Measures, Priority
from mdm.store.scoped import unrestricted

_NOTHING_KNOWN = Stake()


def measures_now(
    engine: Engine, now: datetime, policy: Policy | None = None, reconciling: Reconciling | None = None
) -> Measures:
    """By what findings are put in order now. What is much money is said by the policy of the second person, and by the
    rules of reconciliation on which day books are closed; by the shipped ones if none are given."""
    with unrestricted(engine).connect() as connection:
        return measures_of(policy or load_policy(), cut_off_at(connection, now, reconciling or shipped_policy()))


def in_order(found: Reconciliation, measures: Measures) -> Overview:
    """All findings of a run, the most urgent first."""
    today = found.as_of.date()
    priorities: Mapping[tuple[str, CrosswalkKey], Priority] = {
        (each.rule, each.subject): rank_finding(
            each,
            found.stakes.get((each.rule, each.subject), _NOTHING_KNOWN),
            ageing.age_of(each, found.books, today),
            measures,
        )
        for each in found.findings
    }
    return Overview(found.findings, found.books, today, priorities)
