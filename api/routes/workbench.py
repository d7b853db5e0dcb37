"""Working through many tasks over HTTP: similar decisions, numbers, and one answer to many."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Body, Depends, Path, Query, Request, Response
from pydantic import Field

from api.afterwards import afterwards
from api.auth import CallerDep, allows
from api.idempotency import OnceRoute
from api.present_stewardship import bulk_preview_object, job_object, similar_object
from api.routes.parameters import Parameters
from api.routes.responses import CHECKED, COMMANDED, GUARDED, TOO_LARGE, UNKNOWN
from api.routes.stewardship import DeskDep, TaskId, actor_of, policy_of
from api.schemas.given import MAX_ID, Moment
from api.schemas.workbench import BulkJob, BulkPreviewForm, BulkWish, SimilarList, Statistics
from api.wire import answer
from mdm.access import Permission
from mdm.hub import steward
from mdm.hub.steward import Answer
from mdm.store.read_stewardship import queue_numbers, steward_numbers
from mdm.store.reading import snapshot

#: Five thousand tasks with their tokens.
_MOST_BYTES = 512 * 1024

router = APIRouter(
    route_class=OnceRoute,
    prefix="/v1",
    tags=["stewardship"],
    dependencies=[Depends(allows(Permission.INSPECT))],
    responses={**GUARDED, **CHECKED},
)
deciding = [Depends(allows(Permission.DECIDE))]

JobId = Annotated[int, Path(ge=1, le=MAX_ID, description="Job id.")]


class SimilarParameters(Parameters):
    """How many."""

    limit: int = Field(5, ge=1, le=50)


@router.get(
    "/tasks/{id}/similar",
    name="list_similar_decisions",
    summary="How alike questions were answered",
    response_model=SimilarList,
    responses=UNKNOWN,
)
def list_similar(id: TaskId, wanted: Annotated[SimilarParameters, Query()], desk: DeskDep) -> Response:
    """Past decisions on pairs whose evidence looked most like this one's; those that were taken back do not count."""
    found = steward.similar_decisions(desk, id, wanted.limit)
    return answer({"items": [similar_object(each) for each in found]})


class Period(Parameters):
    """From when until when; the last thirty days when absent."""

    since: Moment | None = None
    until: Moment | None = None


@router.get(
    "/steward-statistics", name="get_steward_statistics", summary="People and queue in numbers",
    response_model=Statistics,
)  # fmt: skip
def get_statistics(period: Annotated[Period, Query()], desk: DeskDep) -> Response:
    """Decisions by person and kind with how many were taken back, speed, approvals; open tasks with their ages."""
    now = desk.clock()
    until = period.until or now
    since = period.since or until - timedelta(days=30)
    with snapshot(desk.engine) as work:
        people, queue = steward_numbers(work, since, until), queue_numbers(work, now)
    return answer(
        {
            "since": since,
            "until": until,
            "stewards": [asdict(each) for each in people],
            "queue": [asdict(each) for each in queue],
        }
    )


@router.post(
    "/bulk-judgements/preview",
    name="preview_bulk",
    dependencies=deciding,
    summary="What one answer to many tasks would do",
    response_model=BulkPreviewForm,
    responses={**COMMANDED, **TOO_LARGE},
    max_body_size=_MOST_BYTES,
)
def preview_bulk(wish: Annotated[BulkWish, Body()], request: Request, caller: CallerDep, desk: DeskDep) -> Response:
    """Tried in small parts that are rolled back, so that nobody waits; added up, with a sample."""
    told = Answer(wish.verdict, wish.reason, wish.until)
    return answer(
        bulk_preview_object(steward.preview_bulk(desk, actor_of(caller), _tasks(wish), told, policy=policy_of(request)))
    )


@router.post(
    "/bulk-judgements",
    name="start_bulk",
    dependencies=deciding,
    summary="Answer many tasks alike",
    status_code=202,
    response_model=BulkJob,
    responses={**COMMANDED, **TOO_LARGE},
    max_body_size=_MOST_BYTES,
)
def start_bulk(
    wish: Annotated[BulkWish, Body()], request: Request, caller: CallerDep, desk: DeskDep, later: BackgroundTasks
) -> Response:
    """Goes on in the background, one decision per task; items that changed meanwhile are refused, the others go on."""
    job_id = steward.start_bulk(desk, actor_of(caller), _tasks(wish), Answer(wish.verdict, wish.reason, wish.until))
    afterwards(later, steward.run_bulk, desk, job_id, policy_of(request))
    return _job(desk, job_id, later, 202)


@router.get(
    "/bulk-judgements/{id}", name="get_bulk", summary="How far a job is", response_model=BulkJob, responses=UNKNOWN
)
def get_bulk(id: JobId, desk: DeskDep) -> Response:
    """With what was refused, and why."""
    return answer(job_object(steward.bulk_job(desk, id)))


@router.post(
    "/bulk-judgements/{id}/stop",
    name="stop_bulk",
    dependencies=deciding,
    summary="Stop a job",
    response_model=BulkJob,
    responses=COMMANDED,
)
def stop_bulk(id: JobId, caller: CallerDep, desk: DeskDep) -> Response:
    """After the item it is at; what was done stays done."""
    return answer(job_object(steward.stop_bulk(desk, actor_of(caller), id)))


@router.post(
    "/bulk-judgements/{id}/continue",
    name="continue_bulk",
    dependencies=deciding,
    summary="Go on with a job",
    status_code=202,
    response_model=BulkJob,
    responses=COMMANDED,
)
def continue_bulk(id: JobId, request: Request, desk: DeskDep, later: BackgroundTasks) -> Response:
    """After it was stopped, or the service was restarted."""
    job = steward.bulk_job(desk, id)
    afterwards(later, steward.run_job, desk, job.job_id, policy_of(request))
    return _job(desk, id, later, 202)


@router.post(
    "/bulk-judgements/{id}/undo",
    name="undo_bulk",
    dependencies=deciding,
    summary="Take back a whole job",
    status_code=202,
    response_model=BulkJob,
    responses=COMMANDED,
)
def undo_bulk(id: JobId, request: Request, caller: CallerDep, desk: DeskDep, later: BackgroundTasks) -> Response:
    """By a job of its own that is told: every decision, the newest first. It can be stopped and gone on with, too. What
    the job proposed and nobody has decided on is withdrawn at once (`withdrawn` among the outcomes)."""
    job_id = steward.start_take_back(desk, actor_of(caller), id)
    afterwards(later, steward.run_bulk, desk, job_id, policy_of(request))
    return _job(desk, job_id, later, 202)


def _tasks(wish: BulkWish) -> dict[int, str | None]:
    return {each.task_id: each.token for each in wish.tasks}


def _job(desk: DeskDep, job_id: int, later: BackgroundTasks, status: int) -> Response:
    told = answer(job_object(steward.bulk_job(desk, job_id)))
    return Response(told.body, status, {"Location": f"/v1/bulk-judgements/{job_id}"}, "application/json", later)
