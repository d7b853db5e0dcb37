"""Similar decisions, numbers of people and queue, and bulk jobs."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.common import Form, SourceKey
from api.schemas.given import Asked, Moment
from api.schemas.stewardship import AnyVerdict, Number, Reasoned
from mdm.model.ids import Domain
from mdm.model.stewardship import Verdict


class SimilarDecision(Form):
    """A past decision on evidence that looked alike."""

    decision_id: int
    kind: Literal["same", "not_same", "unsure"]
    actor: str
    at: datetime
    reason: str
    records: list[SourceKey]
    likeness: float = Field(description="1 when the evidence looked exactly the same.")
    shared: list[str]
    differing: list[str]


class SimilarList(Form):
    """The most alike first."""

    items: list[SimilarDecision]


class StewardNumbersForm(Form):
    """What one person did in a period."""

    actor: str
    decisions: int
    by_kind: dict[str, int]
    undone: int
    proposed: int
    approved: int
    rejected: int
    median_seconds: float | None


class QueueNumbersForm(Form):
    """Open tasks of one domain and kind; ages in days."""

    domain: Domain
    kind: str
    open: int
    unassigned: int
    snoozed: int
    unsure: int
    oldest_days: float
    median_days: float


class Statistics(Form):
    """People and queue."""

    since: datetime
    until: datetime
    stewards: list[StewardNumbersForm]
    queue: list[QueueNumbersForm]


class BulkItem(Asked):
    """One task, and the token of what was looked at."""

    task_id: Number
    token: Annotated[str, Field(pattern="^[0-9a-f]{16}$")] | None = None


class BulkWish(Reasoned):
    """One answer to many tasks."""

    verdict: AnyVerdict
    until: Moment | None = None
    tasks: list[BulkItem] = Field(min_length=1, max_length=5000)


class Refusal(Form):
    """An item that was not, or would not be, carried out."""

    task_id: int
    detail: str


class Waiting(Form):
    """An item that is left out, because an answer to it waits for a second person."""

    task_id: int
    proposal_id: int


class BulkPreviewForm(Form):
    """What one answer to many tasks would do as a whole."""

    items: int
    possible: int
    held: int = Field(description="Of the possible ones, those that would be proposals and wait for a second person.")
    refusals: list[Refusal]
    waiting: list[Waiting] = Field(
        description="Left out of all sums, and not answered: an answer to them is a proposal that waits."
    )
    merged: int
    moves: int
    tasks_closed: int
    erp: int
    exposure: dict[str, Any]
    sample: list[dict[str, Any]]


class BulkJob(Form):
    """How far a bulk job is."""

    job_id: int
    purpose: Literal["look", "answer", "take_back"] = Field(
        description="`look`: tried and thrown away; `answer`: carried out; `take_back`: another job undone."
    )
    of_job: int | None = Field(description="The job whose decisions are taken back.")
    actor: str
    verdict: Verdict
    reason: str
    items: int
    settled: int
    status: Literal["open", "done", "stopped"]
    outcomes: dict[str, int]
    refusals: list[Refusal]
    waiting: list[Waiting] = Field(
        description="The first hundred that were left out, because an answer to them waits for a second person."
    )
    started_at: datetime
    finished_at: datetime | None
