"""Findings of reconciliation: where the platforms disagree from contract to posting, and what is done about it."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.common import Form, Page, SourceKey
from api.schemas.given import Asked, Said, Storable
from api.schemas.priority import CloseImpact, CustomerExposure, PriorityPart

#: Findings that one request is about at most, as in the console.
MOST_AT_ONCE = 1000
Part = Annotated[Storable, Field(min_length=1, max_length=300)]
Amounts = Annotated[dict[str, str], Field(description="By currency, whatever the sign, as decimal text.")]


class FindingForm(Form):
    """One disagreement. Rule and subject name it; it goes away when the platforms agree."""

    rule: str = Field(examples=["posting_missing"])
    code: str = Field(description="Stable; never reused.", examples=["POSTING_MISSING"])
    severity: Literal["error", "warning"]
    subject: SourceKey = Field(description="The row that it is about.")
    facts: list[SourceKey] = Field(description="The rows of both sides, the subject first.")
    customer: str | None = Field(description="Golden record id.")
    contract: str | None = Field(description="Golden record id.")
    amount: str | None = Field(description="What it is worth; negative where too little was charged or booked.")
    currency: str | None
    sentence: str = Field(description="What is wrong.")
    action: str = Field(description="What to do.")
    owner: str = Field(description="Whose move it is.")
    days: int = Field(description="From the day of the fact to `as_of`.")
    priority: float = Field(description="The higher, the sooner; the sum of the points under `because`.")
    because: list[PriorityPart] = Field(description="The weightiest first.")
    close_impact: CloseImpact
    customer_exposure: CustomerExposure
    assignee: str | None = Field(description="Who looks after it.")
    explanation: str | None = Field(description="Why it is as it is.")
    explained_by: str | None
    explained_at: datetime | None
    explained: bool = Field(description="Whether the explanation was given for what it is worth now.")


class FindingPage(Page[FindingForm]):
    """The most urgent first, then by rule and subject."""

    as_of: datetime = Field(description="The newest change event that reconciliation knew of.")
    total: int = Field(description="All that are asked for, on every page together.")
    amounts: Amounts


class StuckForm(Form):
    """A business transaction that got as far as one step and, for longer than the policy allows, no further."""

    stage: Literal["ordered", "subscribed", "invoiced", "rejected", "posted"] = Field(description="Its last step.")
    waits_for: str = Field(description="The step that does not come.", examples=["journal entry"])
    subject: SourceKey
    facts: list[SourceKey]
    customer: str | None
    contract: str | None
    since: datetime
    days: int
    allowed: int = Field(description="How many days it may take.")
    amount: str | None
    currency: str | None
    sentence: str
    action: str
    owner: str


class StuckPage(Page[StuckForm]):
    """Transactions that stand still, what has waited longest first."""

    as_of: datetime = Field(description="The newest change event that the hub holds.")
    total: int
    amounts: dict[str, str] = Field(description="What they are worth together, by currency.")


class FindingAge(Form):
    """A class of age."""

    name: str = Field(examples=["8 to 30 days"])
    last_day: int | None
    findings: int
    amounts: Amounts


class FindingRule(Form):
    """A rule of reconciliation, also one that found nothing."""

    rule: str
    code: str
    severity: Literal["error", "warning"]
    owner: str
    action: str
    findings: int
    amounts: Amounts
    ages: list[FindingAge]


class FindingDay(Form):
    """How many findings the last run of a day had."""

    day: date
    findings: int


class FindingSummary(Form):
    """All findings in numbers."""

    as_of: datetime
    policy_version: str = Field(description="Of the rules.")
    findings: int
    amounts: Amounts
    rules: list[FindingRule]
    ages: list[FindingAge]
    days: list[FindingDay] | None = Field(
        description="The last 90 days on which reconciliation ran; null for callers whose scope is limited."
    )


class FindingBooks(Form):
    """Findings of one legal entity, month and rule together."""

    company: str | None = Field(description="Our own legal entity; null where nobody knows yet.")
    month: str = Field(examples=["2026-10"])
    rule: str
    severity: Literal["error", "warning"]
    owner: str
    findings: int
    amounts: Amounts


class FindingImpact(Form):
    """The newest month first, in it the gravest; the sums over all rows are those of all findings."""

    as_of: datetime
    items: list[FindingBooks]


class NamedFinding(Asked):
    """What names a finding."""

    rule: Part
    system: Part
    type: Part
    key: Annotated[Storable, Field(min_length=1, max_length=1000)]


class Findings(Asked):
    """Which findings; all of them are settled, or none."""

    findings: list[NamedFinding] = Field(min_length=1, max_length=MOST_AT_ONCE)


class HandedFindings(Findings):
    """To whom they go."""

    assignee: Annotated[Said, Field(max_length=200, examples=["user:ada"])]


class ExplainedFindings(Findings):
    """Why they are as they are."""

    reason: Annotated[Said, Field(max_length=2000, description="Holds for what each is worth now.")]


class Settled(Form):
    """How many findings were settled."""

    findings: int
