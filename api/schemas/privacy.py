"""Erasures over HTTP. Nothing here repeats a value of the subject."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from api.schemas.common import Form, SourceKey
from api.schemas.given import Asked, Said, Storable, either_given

Status = Literal["open", "carried_out", "rejected"]
ColumnName = Annotated[Storable, StringConstraints(pattern=r"^[^.\x00]+\.[^.\x00]+\.[^\x00]+$", max_length=300)]
Basis = Annotated[Said, StringConstraints(min_length=1, max_length=400)]
Words = Annotated[Said, StringConstraints(min_length=1, max_length=2000)]
#: Columns with the basis on which each is kept.
Held = Annotated[
    dict[ColumnName, Basis],
    Field(max_length=200, json_schema_extra={"propertyNames": {"maxLength": 300}, "additionalProperties": False}),
]


class RowName(Asked):
    """A source row."""

    system: Annotated[Storable, StringConstraints(min_length=1, max_length=100)]
    type: Annotated[Storable, StringConstraints(min_length=1, max_length=200)]
    key: Annotated[Storable, StringConstraints(min_length=1, max_length=400)]


class ErasureWish(Asked):
    """Whose erasure is asked for: a golden customer with all its rows and contacts, single source rows, or both."""

    model_config = either_given(("entity_id",), ("rows",))

    entity_id: Annotated[Storable, StringConstraints(min_length=1, max_length=64)] | None = None
    rows: list[RowName] = Field([], max_length=500)
    holds: Held = Field({}, description="`system.type.column` of columns that the law keeps, with the basis.")
    reason: Words = Field(description="Who asked and on what grounds, without naming values.")

    @model_validator(mode="after")
    def _somebody(self) -> "ErasureWish":
        if self.entity_id is None and not self.rows:
            raise ValueError("name `entity_id`, `rows` or both")
        return self


class Holds(Asked):
    """What a legal hold keeps, in place of what was decided before."""

    holds: Held


class Refusal(Asked):
    """Why nothing is erased."""

    comment: Words


class PlannedErasureRow(SourceKey):
    """One source row: columns that go, and those that stay with the basis of their staying."""

    kind: str
    erased: list[str]
    kept: dict[str, str]


class Mention(Form):
    """Rows of others in which the subject is mentioned, and why they stay."""

    system: str
    type: str
    rows: int
    basis: str


class ErasureForm(Form):
    """A request with its plan, or with its proof when it was carried out."""

    id: int
    status: Status
    reason: str
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    comment: str
    rows: list[PlannedErasureRow]
    entities: list[str]
    mentions: list[Mention]
    proof: dict[str, Any] | None


class ErasureLine(Form):
    """A request in a list."""

    id: int
    status: Status
    reason: str
    rows: int
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    comment: str


class ErasurePage(Form):
    """Requests, the newest first."""

    items: list[ErasureLine]
    next: str | None = Field(description="Give it back as `cursor` for the next page.")


class ErasureProof(Form):
    """The proof of an erasure. `sha256` is the digest of the document without it, keys sorted, no white space."""

    document: str
    erasure: int
    reason: str
    requested_by: str
    requested_at: datetime
    approved_by: str
    carried_out_at: datetime
    proof: dict[str, Any]
    sha256: str
