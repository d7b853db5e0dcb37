"""A source row in both forms: as its platform sent it, and as the hub reads it."""

from datetime import datetime
from typing import Any

from pydantic import Field

from api.schemas.common import Form, Position, SourceKey
from api.schemas.records import FactReference
from mdm.model.ids import Domain

_RAW = "Its columns as they came; null for a deletion, and where no event has brought the row."
_MASKED = "Columns whose values this caller may not see in full."
_OPERATION = "As Debezium names it: `c` created, `u` changed, `d` deleted, `r` read in a snapshot."


class SourceVersion(Form):
    """What one change event said of the row."""

    operation: str = Field(description=_OPERATION, examples=["u"])
    raw: dict[str, Any] | None = Field(description=_RAW)
    raw_masked: list[str] = Field(description=_MASKED)
    unavailable: list[str] = Field(description="Columns that had not changed and that the event left out.")
    previous_key: str | None = Field(description="The key that the row had before, where that was another one.")
    next_key: str | None = Field(description="The key that the row had afterwards, where that is another one.")
    position: Position
    known_at: datetime | None = Field(description="When the hub came to know it.")


class SourceRecordForm(SourceKey):
    """A source row, raw and canonical, its place in the feed, and the golden record that it is part of."""

    kind: str = Field(examples=["customer"])
    domain: Domain | None = Field(description="Null for linked facts, which belong to no golden record.")
    deleted: bool = Field(description="Gone in its platform; told with `history=true` only.")
    operation: str = Field(description=_OPERATION, examples=["u"])
    raw: dict[str, Any] | None = Field(description=_RAW)
    raw_masked: list[str] = Field(description=_MASKED)
    attributes: dict[str, Any] = Field(description="The same in canonical attributes.")
    masked: list[str] = Field(description="Attributes whose values this caller may not see in full.")
    rejected: dict[str, str] = Field(description="Attributes whose value was junk, with the reason's code.")
    references: list[FactReference]
    position: Position = Field(description="The change event that gave the row its present form.")
    entity_id: str | None = Field(description="The golden record that it is part of.")
    member_since: datetime | None
    last_entity_id: str | None = Field(description="What it was part of last, where it is part of nothing now.")
    versions: list[SourceVersion] | None = Field(
        description="With `history=true`: what each change event said, the newest first, up to 200; null without."
    )
    complete: bool = Field(description="False when there are older versions than are told.")
