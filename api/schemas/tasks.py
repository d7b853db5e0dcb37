"""Tasks: where one stands, what it asks, and how the queue shows it."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.schemas.common import Form, Page, SourceKey
from api.schemas.priority import CloseImpact, CustomerExposure
from mdm.model.ids import Domain


class TaskForm(Form):
    """A question for a steward and where it stands. The answer's ETag is what `If-Match` wants."""

    task_id: int
    token: str
    assignee: str | None
    assigned_by: str | None
    snoozed_until: datetime | None


class TaskSide(Form):
    """One of the two records that a task asks about."""

    record: SourceKey
    entity_id: str | None = Field(description="The golden record it belongs to; null when the row is no longer live.")


class TaskEntry(TaskForm):
    """A task with what it asks. The answer's ETag, and `token` in quotes, is what `If-Match` wants."""

    kind: str
    domain: Domain
    status: Literal["open", "resolved", "obsolete"] = Field(description="`obsolete`: the question went away by itself.")
    weight: float = Field(description="Match weight of the two records.")
    detail: str
    opened_at: datetime
    closed_at: datetime | None
    sides: list[TaskSide]


class QueuedSide(TaskSide):
    """With how its golden record is called, and how many records it has."""

    name: str
    members: int


class PriorityPart(Form):
    """A part of a priority."""

    points: float
    reason: str


class QueuedTask(TaskForm):
    """An open task as the queue shows it. `token` in quotes is the tag that commands about it take as `If-Match`."""

    kind: str
    domain: Domain
    weight: float = Field(description="Match weight of the two records.")
    detail: str
    opened_at: datetime
    due_at: datetime
    due: Literal["ok", "due", "breached"] = Field(description="`due`: within a day.")
    priority: float = Field(description="As of now; a point more a day.")
    reasons: list[PriorityPart] = Field(description="What the priority is the sum of, the weightiest first.")
    close_impact: CloseImpact | None = Field(description="Null for a moment after a question was asked again.")
    customer_exposure: CustomerExposure | None = Field(description="Null likewise.")
    amounts: dict[str, str] = Field(description="Open invoices and running contracts of both sides, by currency.")
    countries: list[str]
    sides: list[QueuedSide]


TaskPage = Page[QueuedTask]
