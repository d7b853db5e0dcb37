"""What just happened, in one sentence, with the way back."""

from typing import NamedTuple

from sqlalchemy import Connection

from api.console.wording import named
from mdm.errors import Conflict, Invalid, MdmError, NotFound, Refused
from mdm.hub.steward import Decided
from mdm.store.read_review import PastDecision, decision

#: Errors of the hub that a person can do something about: told on the page they came from.
TELLABLE = (Conflict, Invalid, NotFound, Refused)
#: What a decision is called when it is told.
KINDS = {
    "same": "Merged",
    "not_same": "Kept apart",
    "unsure": "Left open as unsure",
    "merge": "Merged",
    "split": "Split",
    "override": "Overridden",
    "clear": "Override cleared",
    "confirm": "Override kept",
    "restore": "Restored",
    "relate": "Said who the parent is",
    "end_relation": "Relation ended",
    "discard": "Discarded",
    "let_through": "Let through to ERP",
    "undo": "Undone",
}


class Notice(NamedTuple):
    """A line above the page. `action` is where its one button sends to."""

    text: str
    tone: str = ""
    icon: str = "info"
    action: str = ""
    label: str = ""


def told(connection: Connection, decision_id: int | None) -> Notice | None:
    """What a decision was, with the offer to undo it."""
    found = decision(connection, decision_id) if decision_id is not None else None
    if found is None:
        return None
    if found.undone or found.kind == "undo":
        return Notice(ended(sentence(found)), "good", "undo")
    return Notice(ended(sentence(found)), "good", "check", f"/console/decisions/{found.decision_id}/undo", "Undo")


def proposed(proposal_id: int | None) -> Notice | None:
    """That a command waits for a second person."""
    if proposal_id is None:
        return None
    text = f"Proposed as number {proposal_id}: it takes effect when a second person agrees (Approvals)."
    return Notice(text, "warn", "approval", f"/console/proposals/{proposal_id}/withdraw", "Take it back")


def withdrawn(proposal_id: int | None) -> Notice | None:
    """That a proposal was taken back."""
    if proposal_id is None:
        return None
    return Notice(f"Proposal {proposal_id} is taken back; the question is open.", "good", "undo")


def outcome(done: Decided) -> str:
    """How the address of the next page says what became of a command."""
    return f"done={done.decision_id}" if done.done else f"proposed={done.proposal_id}"


def sentence(found: PastDecision) -> str:
    """A decision in words."""
    what = KINDS.get(found.kind, found.kind.replace("_", " ").capitalize())
    about = " and ".join(dict.fromkeys(found.names))
    return f"{what}: {about}" + (" (undone since)" if found.undone else "")


def ended(text: str) -> str:
    """With a full stop at its end, and not a second one after "Inc."."""
    return text if text.endswith(".") else f"{text}."


def refused(error: MdmError) -> Notice:
    """Why something was not done, and what to do about it."""
    return Notice(named(f"{error.message} {error.advice}".strip()) + " Nothing was changed.", "bad", "exception")
