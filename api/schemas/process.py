"""How far contracts and usage batches got, stage by stage."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.schemas.common import Form, Page, SourceKey

QuoteStage = Literal["order", "contract", "subscription", "entitlement", "invoice", "payment", "posting"]
UsageStage = Literal["unit", "batch", "invoice line", "posting"]
State = Literal["done", "open", "missing", "in conflict"]


class BlockerForm(Form):
    """What holds a stage up."""

    code: str = Field(
        description="Of the finding; `STANDS_STILL` where nothing disagrees and nothing has happened for too long, "
        "`PAYMENT_MISSING` for a paid invoice that no payment names.",
        examples=["POSTING_REJECTED"],
    )
    rule: str | None = Field(description="With `subject` it names the finding (`/v1/findings`); null where it is none.")
    subject: SourceKey
    owner: str = Field(description="Whose move it is.", examples=["finance-accounting"])
    action: str = Field(description="What to do.")


class NextStepForm(Form):
    """What to do next."""

    action: str
    owner: str = Field(description="Whose move it is.")


class StageForm(Form):
    """A stage as it stands."""

    state: State = Field(
        description="`open`: begun, or the next; `missing`: what follows is there, it is overdue, or nothing will come "
        "any more; `in conflict`: a finding says that the platforms disagree."
    )
    since: datetime | None = Field(description="By the times that the platforms state; null where none does.")
    rows: list[SourceKey] = Field(description="The newest 20 rows by which it stands so.")
    count: int = Field(description="How many such rows there are.")
    blocked_by: list[BlockerForm]
    next_step: NextStepForm | None = Field(description="Null where it is done.")


class QuoteStageForm(StageForm):
    """A stage from order to posting."""

    stage: QuoteStage


class UsageStageForm(StageForm):
    """A stage from use to posting."""

    stage: UsageStage


class QuoteToCashForm(Form):
    """How far a contract got."""

    contract: str = Field(description="Golden record id.", examples=["con_01kczk7c000000000000000000"])
    customer: str | None = Field(description="Golden record id.")
    number: str | None
    status: str | None = Field(examples=["active"])
    stage: QuoteStage = Field(description="The stage that it is in: the first that it has not passed.")
    state: State = Field(description="How that stage stands; `done` where all are.")
    since: datetime | None
    next_step: NextStepForm | None
    stages: list[QuoteStageForm] = Field(description="All stages in their order.")
    as_of: datetime = Field(description="The newest change event that reconciliation knew of.")


class UsageToRevenueForm(Form):
    """How far a usage batch got."""

    batch: SourceKey
    customer: str | None = Field(description="Golden record id.")
    contract: str | None = Field(description="Golden record id.")
    product: str | None = Field(description="Golden record id of what it is sold as.")
    subscription: SourceKey | None
    invoice: SourceKey | None = Field(description="The invoice that bills its period.")
    repeats: SourceKey | None = Field(description="The batch that reported the same before.")
    stage: UsageStage = Field(description="The stage that it is in: the first that it has not passed.")
    state: State = Field(description="How that stage stands; `done` where all are.")
    since: datetime | None
    next_step: NextStepForm | None
    stages: list[UsageStageForm] = Field(description="All stages in their order.")
    as_of: datetime = Field(description="The newest change event that reconciliation knew of.")


class QuoteToCashPage(Page[QuoteToCashForm]):
    """Contracts by id."""

    as_of: datetime


class UsageToRevenuePage(Page[UsageToRevenueForm]):
    """Usage batches by key."""

    as_of: datetime
