"""Forms that several endpoints share."""

from datetime import datetime
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")


class Form(BaseModel):
    """The base of every answer. Clients must accept members that are added later."""

    model_config = ConfigDict(extra="allow")


class SourceKey(Form):
    """A source row: platform, table, primary key (a composite key joined by `|`)."""

    system: str = Field(examples=["crm"])
    type: str = Field(examples=["account"])
    key: str = Field(examples=["0015gIv5WESmLhPAZV"])


class Reference(SourceKey):
    """A source row that a golden value points at, and the golden record behind it now."""

    entity_id: str | None = Field(description="Resolved when read; null when the row is unknown or means several.")


class Page(Form, Generic[Item]):
    """A page of a list. `next` is null on the last page."""

    items: list[Item]
    next: str | None = Field(description="Give it back as `cursor` for the next page.")
    approximate: bool = Field(False, description="Nothing has all words of `q`; these resemble them, best first.")


class FieldError(Form):
    """What is wrong with one part of the request."""

    parameter: str = Field(examples=["query.limit"])
    detail: str


class ProblemForm(Form):
    """RFC 9457 problem details. `type` is a stable relative URI; the page behind it says what to do."""

    type: str = Field(examples=["/problems/not-found"])
    title: str
    status: int
    detail: str
    action: str = Field(description="What the caller should do.")
    trace_id: str
    errors: list[FieldError] | None = None


class MergedForm(ProblemForm):
    """What became of an absorbed id."""

    entity_id: str
    merged_into: str


class RetiredForm(ProblemForm):
    """What became of an id without source rows."""

    entity_id: str
    retired_at: datetime


class DeletedRowForm(ProblemForm):
    """A source row that its platform deleted."""

    last_entity_id: str | None


class AmbiguousForm(ProblemForm):
    """A name that means several golden records."""

    candidates: list[str]


class Position(Form):
    """Where a change event stands in its feed."""

    topic: str
    partition: int
    offset: int
    lsn: int | None = Field(None, description="Log sequence number of the source database.")
    transaction: str | None = None
    event_time: datetime = Field(description="When the platform changed the row.")


class Live(Form):
    """The process is alive."""

    status: Literal["alive"]


class Ready(Form):
    """The process can serve."""

    status: Literal["ready"]
    schema_revision: str
