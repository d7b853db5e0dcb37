"""Which versions of the API and of its events are used, and by whom."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from api.schemas.common import Form


class VersionCaller(Form):
    """What one caller used of a version."""

    caller: str = Field(description="API key, or person of the identity provider.")
    label: str | None
    requests: int
    deprecated: int = Field(description="Of them, at addresses that will end.")
    first_at: datetime
    last_at: datetime


class VersionUse(Form):
    """One version: who uses it, those who are pinned to it apart from those who take what comes."""

    surface: Literal["api", "events"]
    version: str = Field(examples=["1.0"])
    pinned: bool
    requests: int
    deprecated: int
    last_at: datetime
    callers: list[VersionCaller]


class PinnedConsumer(Form):
    """A consumer of the change feed and the version of events that it is pinned to."""

    name: str
    owner: str = Field(description="The API key that registered it.")
    label: str | None
    events: int | None = Field(description="Null takes what is newest.")
    acknowledged_at: datetime


class VersionUsage(Form):
    """Use of all versions since a day."""

    since: date
    served: dict[str, list[str]] = Field(description="What is served now, by surface.")
    items: list[VersionUse]
    consumers: list[PinnedConsumer]
