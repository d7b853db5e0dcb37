"""What governing the data comes to, in figures."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.common import Form

Sums = Annotated[dict[str, str], Field(description="By currency, as decimal text; there are no exchange rates.")]


class KpiPeriod(Form):
    """Days, both in it, in UTC."""

    first: date
    last: date


class AmountsAtRisk(Form):
    """Money that hangs on what is not in order."""

    disagreements: Sums = Field(description="What findings of reconciliation are worth, whatever the sign.")
    questions: Sums = Field(description="Open invoices and running contracts behind open questions.")
    refused: Sums = Field(description="The same behind refused messages.")


class CloseReadiness(Form):
    """The month that is being closed."""

    month: str = Field(examples=["2026-10"])
    due: date
    days_left: int = Field(description="Until it is due; negative when that is past.")
    open_points: int
    points: int
    ready: bool


class KpiMeasure(Form):
    """One figure of the period beside the same of the baseline."""

    name: str = Field(examples=["close_days"], description="Stable; never reused.")
    title: str
    unit: Literal["days", "hours", "share", "decisions", "findings"]
    better: Literal["lower", "higher"]
    value: float | None = Field(description="None where there was nothing to measure.")
    of: int = Field(description="How many things were measured.")
    baseline: float | None
    baseline_of: int
    change: float | None = Field(description="From the baseline to the value.")
    improved: bool | None = Field(description="Whether it moved the better way; None where it did not or nobody knows.")


class KpiForm(Form):
    """How things stand, and how they moved."""

    now: datetime
    as_of: datetime = Field(description="The newest change event that reconciliation knew of.")
    amount_at_risk: AmountsAtRisk
    findings: int
    close_readiness: CloseReadiness
    period: KpiPeriod
    baseline: KpiPeriod
    measures: list[KpiMeasure]
