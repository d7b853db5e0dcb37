"""Closing refused messages for good, as a decision: previewed, held back where policy says so, taken back by undo."""

from collections.abc import Sequence

from mdm.errors import Conflict, Invalid
from mdm.model.stewardship import Discard, LetterEffect, Plan
from mdm.store import letters
from mdm.store.stewardship import StoredDecision
from mdm.store.unit_of_work import UnitOfWork

#: Messages of one command: a person who looks at the proposal must be able to look at all of them.
MOST = 5000


def plan_discard(work: UnitOfWork, command: Discard) -> Plan:
    """Close those of the messages that are open.

    Raises:
        Invalid: none is named, or too many; or no reason is given.
        Conflict: none of them is open.
    """
    if not command.reason.strip():
        raise Invalid("Discarding needs a reason.", action="Say why; the audit keeps it.")
    if not 0 < len(command.letters) <= MOST:
        raise Invalid(f"A command discards from 1 to {MOST} messages.", action="Name fewer; the rest can follow.")
    found = letters.still_open(work, command.letters)
    if not found:
        raise Conflict("None of these messages is open any more.", action="Look at the list again.")
    return Plan("discard", None, frozenset(), command.reason.strip(), discard=tuple(found))


def plan_reopening(work: UnitOfWork, decision: StoredDecision, reason: str) -> Plan:
    """Open again what a decision discarded and nobody has opened since.

    Raises:
        Conflict: nothing of it is discarded any more.
    """
    ids = letters.still_discarded(work, [each["letter_id"] for each in decision.effect["letters"]])
    if not ids:
        raise Conflict(f"None of the messages of decision {decision.decision_id} is discarded any more.")
    return Plan(
        "undo", None, frozenset(), reason, reopen=tuple(ids), undoes=decision.decision_id,
        undoes_agreed=decision.approved_by is not None,
    )  # fmt: skip


def close_and_open(work: UnitOfWork, plan: Plan, actor: str) -> tuple[LetterEffect, ...]:
    """Carry out what a plan says about refused messages, and tell it."""
    told: Sequence[LetterEffect] = letters.described(work, plan.discard, "discarded")
    if plan.discard:
        letters.discard(work, plan.discard, actor, plan.reason)
    if plan.reopen:
        letters.reopen(work, plan.reopen)
        told = letters.described(work, plan.reopen, "reopened")
    return tuple(told)
