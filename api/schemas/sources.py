"""Source platforms: what lives of them, and which are out of service."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.schemas.common import Form


class SourceForm(Form):
    """A platform that rows are known of."""

    system: str = Field(examples=["crm"])
    tables: int
    rows: int = Field(description="Rows that are alive.")
    golden: int = Field(description="Golden records that have one of them.")
    state: Literal["in_service", "retiring", "retired", "restoring"]


class RetirementForm(Form):
    """When a platform was taken out of service, by whom and why, and whether it came back."""

    system: str
    state: Literal["retiring", "retired", "restoring", "restored"]
    reason: str
    retired_by: str
    retired_at: datetime
    restored_by: str | None
    restored_at: datetime | None
    restored_reason: str | None


class Sources(Form):
    """All platforms, and all retirements, the newest first."""

    sources: list[SourceForm]
    retirements: list[RetirementForm]
