"""Samples of record pairs that stewards judge blind: what is drawn, what is asked, what was answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mdm.model.ids import Domain, RecordId


class Stratum(StrEnum):
    """What the hub had made of a pair when it was drawn.

    `joined` into one golden record; `asked` about; `near` the threshold below it; `unmet`: in no block together, and so
    never compared, though with a word of their names in common it would be near; `far` below the threshold, compared or
    with a word in common. What is `beyond` that is counted and not drawn: nobody finds one among millions by looking.
    """

    JOINED = "joined"
    ASKED = "asked"
    NEAR = "near"
    UNMET = "unmet"
    FAR = "far"
    BEYOND = "beyond"


class BlindVerdict(StrEnum):
    """What somebody says who sees nothing but what the two records state."""

    SAME = "same"
    NOT_SAME = "not_same"
    UNSURE = "unsure"


#: Shares of a sample. Precision is told by the first, recall by all. What is far off is seldom one, and they are many:
#: most of the width of the interval of recall is theirs.
SHARES: Mapping[Stratum, float] = {
    Stratum.JOINED: 0.35,
    Stratum.ASKED: 0.1,
    Stratum.NEAR: 0.15,
    Stratum.UNMET: 0.15,
    Stratum.FAR: 0.25,
}


@dataclass(frozen=True, slots=True)
class DrawnPair:
    """A pair with the platforms of its two records, and its weight in bits where it was compared."""

    a: RecordId
    b: RecordId
    systems: tuple[str, str]
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class DrawnStratum:
    """How many pairs there are of a kind (counted, or estimated from some records), and those that were drawn."""

    stratum: Stratum
    size: float
    counted: bool
    pairs: Sequence[DrawnPair]


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair of a sample with what each person said of it, the first answer first."""

    stratum: Stratum
    systems: tuple[str, str]
    answers: Sequence[tuple[str, BlindVerdict]]


@dataclass(frozen=True, slots=True)
class SampleHead:
    """A sample as it is listed: `needed` answers make it complete, `given` are there."""

    sample_id: int
    domain: Domain
    drawn_by: str
    drawn_at: datetime
    model: str
    closed_at: datetime | None
    pairs: int
    complete: int
    answers: int
