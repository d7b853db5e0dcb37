"""Consumers of the change feed."""

from datetime import datetime

from pydantic import Field

from api.schemas.common import Form
from mdm.model.ids import Domain


class ConsumerForm(Form):
    """A consumer whose place the hub keeps."""

    name: str
    domain: Domain | None
    events: int | None = Field(description="The version of events that it is pinned to; null takes what is newest.")
    next: str = Field(description="Where it is; fits `since` of `/v1/changes`.")
    acknowledged_at: datetime
    behind: int = Field(description="Changes that it has not acknowledged.")


class ConsumerList(Form):
    """All of them."""

    items: list[ConsumerForm]


class Pending(Form):
    """The hub has not read the place that the caller waits for."""

    status: str = Field(examples=["pending"])
    after: str
    reached: int | None = Field(description="Offset, or LSN, that was reached; null when nothing was heard from there.")
    estimate_seconds: float | None = Field(description="When to ask again; null when nothing is coming in at all.")
