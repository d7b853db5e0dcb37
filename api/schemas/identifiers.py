"""Identifier columns by what they hold, and identifiers that a source gave to another company."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.common import Form
from api.schemas.given import Asked, Storable


class NamespaceForm(Form):
    """An identifier column."""

    system: str
    table: str
    column: str
    type: str
    issuer: str
    country: str = Field(description="A code, the column of the row that says it, or `world`.")
    exclusive: bool = Field(description="One thing alone has a value.")


class UndeclaredForm(Form):
    """An identifier column of which no mapping says what it holds."""

    system: str
    table: str
    column: str
    holds: str
    owner: str


class NamespaceList(Form):
    """All of them, and those that are not declared."""

    items: list[NamespaceForm]
    undeclared: list[UndeclaredForm]


class HolderForm(Form):
    """A company that held an identifier."""

    rows: list[str] = Field(description="Source rows as system:table:key.")
    name: str = Field(description="What its rows called it last.")
    since: datetime
    until: datetime | None


class TakeBackForm(Form):
    """Something that was built on the identifier while it was another company's."""

    kind: Literal["decision", "override", "rows", "left"]
    what: str
    decision_id: int | None = Field(description="Taken back with `POST /v1/decisions/{id}/undo`.")
    by: str | None
    at: datetime | None
    reason: str


class KeptForm(Form):
    """Who said that it is one company after all."""

    by: str
    at: datetime
    reason: str


class RecycledForm(Form):
    """An identifier that its source gave from one company to another."""

    exception_id: int | None
    system: str
    table: str
    kind: Literal["key", "number"]
    identifier: str = Field(description="The number itself is dots for roles that may not see identifiers.")
    owner: str | None
    assignee: str | None
    status: str | None
    since: datetime = Field(description="When the latest holder began, by the clock of the source.")
    known_at: datetime | None = Field(description="When the hub learnt of it.")
    counts: bool = Field(description="Somebody said that it is one company: it counts in matching.")
    kept: KeptForm | None
    holders: list[HolderForm]
    take_back: list[TakeBackForm]


class RecycledList(Form):
    """The latest 200, the latest one first."""

    items: list[RecycledForm]


class Saying(Asked):
    """Why."""

    reason: Annotated[Storable, Field(min_length=1, max_length=500, description="Kept in the audit.")]
