"""The chain around a source row."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from api.schemas.common import Form, SourceKey


class TraceStep(SourceKey):
    """A row of the chain, as its platform states it in canonical attributes."""

    kind: str = Field(examples=["invoice"])
    level: int = Field(
        description="Negative for what the traced row rests on, positive for what followed from it; 0 is the row "
        "itself and what stands beside it: other records of its contract, what belongs to the same invoice."
    )
    role: str | None = Field(
        description="In which role one of the two, this row and `through`, names the other; `same_contract` when both "
        "are records of one golden contract, `billed_by` for the invoice that reconciliation found to bill a usage "
        "batch. Null for the traced row."
    )
    through: SourceKey | None = Field(description="The row of the chain by which this one was found.")
    arrived: bool = Field(description="False for a row that is named in the chain and that the hub has never seen.")
    attributes: dict[str, Any]
    masked: list[str]
    event_time: datetime | None
    entity_id: str | None = Field(description="The golden record it belongs to; null for linked facts.")


class TraceGap(Form):
    """What one would expect in the chain and does not find."""

    code: Literal["NEVER_ARRIVED", "POSTING_MISSING", "PAYMENT_MISSING"]
    record: SourceKey = Field(description="The row that never arrived, or the invoice that lacks something.")
    detail: str


class TraceForm(Form):
    """The chain around a row, what it rests on first."""

    record: SourceKey
    steps: list[TraceStep]
    gaps: list[TraceGap]
    complete: bool = Field(description="False when there is more: then the nearest 300 rows are told.")
