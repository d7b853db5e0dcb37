"""What people confirm, excuse or send back: checkpoints of onboarding, waivers of findings, returns."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CheckpointName(StrEnum):
    """The confirmations that finance gives on the way into ERP."""

    LEGAL_ENTITY_VALIDATED = "legal_entity_validated"
    TAX_VALIDATED = "tax_validated"
    ACCOUNT_STRUCTURE_APPROVED = "account_structure_approved"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One confirmation: who, when, on what grounds, and until when it holds (for ever when None)."""

    name: CheckpointName
    actor: str
    at: datetime
    reason: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """A finding that somebody accountable excuses. `path` is a JSON pointer; empty excuses the code wherever it is.

    What would block a customer is excused only when another person has agreed (`approved_by`).
    """

    code: str
    path: str
    actor: str
    reason: str
    expires_at: datetime
    approved_by: str | None = None

    def covers(self, code: str, path: str) -> bool:
        return self.code == code and self.path in ("", path)


@dataclass(frozen=True, slots=True)
class Return:
    """A customer that goes back to whoever asked for it: something must be mended before it is looked at again."""

    actor: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Word:
    """Something that a person said about the onboarding of a customer, for its history.

    `kind` is confirmation, waiver or return; `about` the checkpoint or code, empty for a return. `answer` is what was
    said when it ended; a confirmation or waiver that another one took the place of has none.
    """

    kind: str
    about: str
    actor: str
    at: datetime
    reason: str
    expires_at: datetime | None
    #: Who agreed to a waiver of what blocks.
    approved_by: str | None
    ended_by: str | None
    ended_at: datetime | None
    answer: str | None
