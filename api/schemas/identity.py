"""What became of ids."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.schemas.common import Form, SourceKey
from api.schemas.given import Asked
from mdm.model.ids import Domain

#: A consumer with more asks in several calls.
MOST_IDS = 10_000

Status = Literal["active", "merged", "retired", "erased"]


class Interval(Form):
    """A time during which an id had a golden record."""

    valid_from: datetime
    valid_to: datetime | None = Field(description="Null while it lasts.")


class Part(Form):
    """Records that left an id and belong to another one now."""

    id: str
    count: int
    records: list[SourceKey] = Field(description="The first hundred of them.")
    at: datetime = Field(description="When the last of them went.")


class IdDeprecation(Form):
    """The time in which consumers replace an id that ended. Its redirect is kept for ever."""

    since: datetime
    until: datetime
    unacknowledged_by: list[str] = Field(description="Consumers that have not acknowledged the end of this id.")


class Fate(Form):
    """What became of an id."""

    id: str
    domain: Domain
    status: Status
    current_id: str | None = Field(description="The id to use now: itself, the one it was merged into, or null.")
    founded_at: datetime
    changed_at: datetime
    valid_from: datetime = Field(description="Since when it led to a golden record.")
    valid_to: datetime | None = Field(
        description="When that ended, because it was merged or retired; null while it is active."
    )
    intervals: list[Interval] = Field(description="Several when an id ended and came back with its records.")
    absorbed: list[str] = Field(description="Ids that redirect to this one.")
    deprecation: IdDeprecation | None = Field(description="Null while the id is active.")
    split_into: list[Part] = Field(description="Where records are that left this id.")


class IdsToClassify(Asked):
    """The ids that a consumer holds."""

    ids: list[Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00]*$")]] = Field(
        min_length=1, max_length=MOST_IDS
    )


class ClassifiedId(Form):
    """What became of one id."""

    id: str
    status: Literal["active", "merged", "retired", "erased", "unknown"]
    domain: Domain | None
    current_id: str | None
    version: int | None = Field(description="Current version of the golden record to use.")
    changed_at: datetime | None
    parted: bool = Field(description="Records left this id for another one.")


class Classification(Form):
    """What became of each id, in the order asked, and how many of each there are."""

    ids: list[ClassifiedId]
    counts: dict[str, int]
