"""What governing the data comes to, in figures."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.common import Form, SourceKey

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


class FailureImpact(Form):
    """Money times the hours that it has been waiting: what it costs that nothing happens."""

    questions: Sums = Field(description="Behind open questions, by currency: amount times hours open.")
    refused: Sums = Field(description="Behind refused messages, by the oldest of each kind.")


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
    unit: Literal["days", "hours", "share", "decisions", "findings", "touches", "seconds"]
    better: Literal["lower", "higher"]
    value: float | None = Field(description="None where there was nothing to measure.")
    of: int = Field(description="How many things were measured.")
    baseline: float | None
    baseline_of: int
    change: float | None = Field(description="From the baseline to the value.")
    part: str | None = Field(
        None,
        description="Of what it is where it is not of all: a platform, or what was closed with its kind and owner.",
        examples=["refused messages · VALUE_TYPE · billing-operations"],
    )
    improved: bool | None = Field(description="Whether it moved the better way; None where it did not or nobody knows.")


class KpiForm(Form):
    """How things stand, and how they moved."""

    now: datetime
    as_of: datetime = Field(description="The newest change event that reconciliation knew of.")
    amount_at_risk: AmountsAtRisk
    failure_impact: FailureImpact
    findings: int
    close_readiness: CloseReadiness
    period: KpiPeriod
    baseline: KpiPeriod
    measures: list[KpiMeasure]
    parts: list[KpiMeasure] = Field(
        description="`freshness_p50` and `freshness_p99` by platform, `hours_to_resolve` by kind and owner."
    )


Quantity = Annotated[str, Field(description="Decimal text, in billed units.", examples=["532184.4000"])]
Share = Annotated[float | None, Field(ge=0, le=1)]


class UnitAccuracy(Form):
    """Quantities of metered lines in one usage unit; units are never added up."""

    unit: str | None = Field(description="Usage unit of the product; null where no platform says it.")
    lines: int
    agreeing: int
    billed: Quantity
    accepted: Quantity
    over: Quantity = Field(description="Billed and not used.")
    under: Quantity = Field(description="Used and not billed.")
    accuracy: Share = Field(
        description="1 less `over` and `under` of what is billed or was used, line by line the larger of the two; null "
        "where both are nothing."
    )


class BilledDifference(Form):
    """A metered product of which an invoice bills another quantity than was accepted for it."""

    invoice: SourceKey
    number: str | None
    issued_on: date
    product: str = Field(description="Golden record id.")
    unit: str | None
    billed: Quantity
    accepted: Quantity
    difference: Quantity = Field(description="Negative where less is billed than was used.")
    amount: str | None = Field(description="What the difference is worth, like it in sign; null where nobody can tell.")
    currency: str | None


class LeakedBatch(Form):
    """Accepted usage that no invoice bills."""

    batch: SourceKey
    ended_on: date
    customer: str | None = Field(description="Golden record id.")
    product: str | None = Field(description="Golden record id.")
    quantity: str | None = Field(description="In units of use, as decimal text.")
    amount: str | None = Field(description="What it would be billed for; null where no price is known.")
    currency: str | None


class InvoiceAccuracyForm(Form):
    """How right invoices of a period are about what was used. Drafts and void invoices are left out."""

    as_of: datetime = Field(description="The newest change event that reconciliation knew of.")
    period: KpiPeriod = Field(description="In which the invoices were issued.")
    lines: int = Field(description="Metered products on invoices, of which both quantities are known.")
    agreeing: int = Field(description="Lines that bill just what was accepted, to four decimals.")
    accuracy: Share = Field(description="`agreeing` of `lines`; null where there are none.")
    without_usage: int = Field(description="Lines for which no usage was accepted at all.")
    unknown: int = Field(description="Lines beside these of which a quantity is not stated, or is no quantity.")
    unbilled: int = Field(description="Accepted usage batches that end in the period and that no invoice bills.")
    repeated: int = Field(description="Usage batches that end in the period and repeat another one: not accepted.")
    units: list[UnitAccuracy]
    differing: int = Field(description="How many lines differ.")
    differences: list[BilledDifference] = Field(description="Up to 100 of them, the largest share first.")
    leakage: Sums = Field(
        description="What was used and not billed is worth: unbilled batches and lines that bill too little, where a "
        "price is known."
    )
    unpriced: int = Field(description="Unbilled batches and lines that bill too little of which no price is known.")
    leaked: list[LeakedBatch] = Field(description="Up to 100 unbilled batches, by currency the largest first.")
