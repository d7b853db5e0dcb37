"""What a rule says about a case, and what becomes of it for the person who must act."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from mdm.model.ids import CrosswalkKey, EntityId


class Severity(StrEnum):
    """How bad it is: an error costs money or breaks a promise, a warning may."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule found: the facts involved (the one it is about first), what it is worth, and what is wrong.

    `correlations` name the pairs of subscription and product that it is about, `days_overdue` how long the oldest
    payment behind it is due; neither is known of most problems.
    """

    facts: tuple[CrosswalkKey, ...]
    sentence: str
    amount: Decimal | None = None
    currency: str | None = None
    correlations: tuple[str, ...] = ()
    days_overdue: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem with everything that is needed to act on it.

    `rule` and `code` are stable. `amount` is in `currency`, rounded to cents, negative when the customer was charged or
    booked too little. `sentence` says what is wrong, `action` what to do, `owner` whose move it is. `correlations` name
    the pairs of subscription and product behind it: whatever concerns the same pair has the same name.
    """

    rule: str
    code: str
    severity: Severity
    facts: tuple[CrosswalkKey, ...]
    customer: EntityId | None
    contract: EntityId | None
    amount: Decimal | None
    currency: str | None
    sentence: str
    action: str
    owner: str
    correlations: tuple[str, ...] = ()
    days_overdue: int | None = None

    @property
    def subject(self) -> CrosswalkKey:
        """The fact that the finding is about; rule and subject name a finding."""
        return self.facts[0]
