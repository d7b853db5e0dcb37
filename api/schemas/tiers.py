"""How critical workflows are, and how they stand."""

from typing import Literal

from pydantic import Field

from api.schemas.common import Form


class ControlForm(Form):
    """Something that the hub does for a workflow because of its tier."""

    name: str = Field(examples=["order"])
    asked: str
    test: str = Field(description="The test in the source tree that shows it.")


class WorkflowForm(Form):
    """A workflow, what its tier asks for, and how its tables do."""

    workflow: str = Field(examples=["posting"])
    means: str
    tier: Literal[1, 2, 3] = Field(description="1 is the most critical.")
    tables: list[str] = Field(examples=[["erp.posting"]])
    fresh_within_seconds: int = Field(description="A change should be golden so long after its commit in the source.")
    mend_within_hours: int = Field(description="A refused message should be dealt with within so long.")
    order: Literal["held", "goes_on"] = Field(description="Whether later messages of a refused one's row wait for it.")
    skipped_after_days: int | None = Field(description="The hub leaves a refused message out then; null for never.")
    controls: list[ControlForm]
    changes: int = Field(description="Changes of the last 24 hours that were timed.")
    in_time: float | None = Field(description="Their share that was golden in time; null where none was timed.")
    refused: int = Field(description="Open refused messages, those that only wait for one aside.")
    held: int = Field(description="Messages that wait for a refused one of their row.")
    overdue: int


class Workflows(Form):
    """All workflows, the most critical first."""

    version: str = Field(description="Of the document of tiers.")
    workflows: list[WorkflowForm]
