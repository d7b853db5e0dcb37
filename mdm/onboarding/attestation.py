"""What an outside registry said about a number or a name, when, and how long that may be relied on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Provider(StrEnum):
    """Who can be asked."""

    VIES = "VIES"
    GLEIF = "GLEIF"
    SANCTIONS = "SANCTIONS"


class Answer(StrEnum):
    """What the provider said. Unavailable is not a no: whoever could tell was not there to ask."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    DOUBTFUL = "doubtful"  # a screening whose hit a person must look at
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Attestation:
    """One answer.

    `key` is what was asked about, in normal form: a number, or a folded name. `reference` is the provider's own mark of
    the answer (VIES's consultation number, the version of a list). `facts` holds what the provider stated, as text;
    keys are those of the provider's module. `reason` says why an answer is unavailable.
    """

    provider: Provider
    key: str
    answer: Answer
    checked_at: datetime
    reference: str | None = None
    reason: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
