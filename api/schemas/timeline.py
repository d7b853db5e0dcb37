"""What happened with a customer, in the order of the business."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from api.schemas.common import Form, Page, Position, SourceKey

EventKind = Literal[
    "opportunity", "order", "contract", "subscription", "entitlement", "usage_batch", "invoice", "payment", "posting"
]


class EventFinding(Form):
    """An open finding about the row."""

    rule: str = Field(examples=["posting_missing"])
    code: str = Field(examples=["POSTING_MISSING"])
    severity: Literal["error", "warning"]
    subject: SourceKey = Field(description="With `rule` it names the finding (`/v1/findings`).")
    owner: str = Field(description="Whose move it is.")
    action: str = Field(description="What to do.")


class TimelineEvent(SourceKey):
    """A row, when it happened in the business, and what it belongs to."""

    kind: EventKind
    date: date
    at: str = Field(description="The day or instant as it is stated.", examples=["2026-01-20T04:17:05.212000Z"])
    dated_by: str = Field(
        description="The attribute that states it; `event_time` where none does: the time of the newest change.",
        examples=["issued_at"],
    )
    number: str | None = Field(description="As people write it: of the invoice, the journal entry, the contract.")
    amount: str | None = Field(description="Decimal text.")
    quantity: str | None = Field(description="Of usage and entitlements, decimal text.")
    currency: str | None
    state: str | None = Field(description="As its platform says it.", examples=["paid"])
    contract: str | None = Field(description="The golden contract that it belongs to.")
    subscription: SourceKey | None
    invoice: SourceKey | None = Field(description="What a payment pays or a posting books; what bills a usage batch.")
    findings: list[EventFinding] | None = Field(description="Null for callers who may not see findings (`inspect`).")
    masked: list[str] = Field(description="Fields whose values this caller may not see in full.")
    position: Position = Field(description="The change event that gave the row its present form.")


class TimelinePage(Page[TimelineEvent]):
    """The oldest event first."""

    as_of: datetime = Field(description="The newest change event that reconciliation knew of: so old are findings.")
