"""One answer to many questions: seen as a whole first, carried out with progress that can be left and come back to."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, BackgroundTasks, Depends, Request, Response
from starlette.responses import RedirectResponse

from api.console.deciding import TELLABLE
from api.console.effects import effect_object
from api.console.forms import FormDep
from api.console.guard import SessionDep, signed_in
from api.console.notices import KINDS, refused
from api.console.pages import page
from api.console.queue import QueueLook
from api.console.workbench import Workbench, WorkbenchDep
from mdm.hub import steward
from mdm.hub.steward import Answer
from mdm.model.stewardship import Verdict
from mdm.store.reading import snapshot

router = APIRouter(prefix="/console", include_in_schema=False, dependencies=[Depends(signed_in)])

_SAMPLE = 5
VERDICTS = {"same": "merge", "not_same": "not a match", "unsure": "unsure"}


@router.post("/reviews/bulk")
def confirm(look: QueueLook, request: Request, session: SessionDep, bench: WorkbenchDep, form: FormDep) -> Response:
    """Take ticked questions at once, or show what one answer to all of them would do before anything is done."""
    tasks, what = form.numbers("task"), form.text("what")
    back = "/console/reviews" + (f"?{look.query}" if look.query else "")
    try:
        if what == "claim":
            for task_id in tasks:
                steward.assign(bench.pipeline, bench.actor, task_id, bench.actor.name)
            return RedirectResponse(back, 303)
        tokens = _tokens(bench, tasks)
        found = steward.preview_bulk(bench.pipeline, bench.actor, tokens, Answer(_verdict(what)), sample=_SAMPLE)
    except TELLABLE as error:
        return page("told.html", request, session=session, status=409, notice=refused(error), back=back)
    return page(
        "bulk_confirm.html",
        request,
        session=session,
        back=back,
        what=what,
        words=VERDICTS,
        tokens=tokens,
        found=found,
        sample=[(task_id, effect_object(bench, effect)) for task_id, effect in found.sample],
    )


@router.post("/bulk")
def start(
    request: Request, session: SessionDep, bench: WorkbenchDep, form: FormDep, later: BackgroundTasks
) -> Response:
    """Begin a job; its page shows how far it is."""
    tokens: dict[int, str | None] = {
        int(task_id): token
        for task_id, _, token in (text.partition("=") for text in form.all("item"))
        if task_id.isdigit()
    }
    try:
        answer = Answer(_verdict(form.text("what")), form.text("reason"))
        job_id = steward.start_bulk(bench.pipeline, bench.actor, tokens, answer)
    except TELLABLE as error:
        return page("told.html", request, session=session, status=409, notice=refused(error), back="/console/reviews")
    later.add_task(steward.run_bulk, bench.pipeline, job_id, bench.policy)
    return RedirectResponse(f"/console/bulk/{job_id}", 303)


@router.get("/bulk/{job_id:int}")
def job_page(job_id: int, request: Request, session: SessionDep, bench: WorkbenchDep) -> Response:
    """How far a job is: can be left and come back to."""
    job = steward.bulk_job(bench.pipeline, job_id)
    return page(
        "bulk_job.html",
        request,
        session=session,
        now=bench.now,
        job=job,
        own=job.actor == bench.actor.name,
        words=VERDICTS,
        kinds=KINDS,
    )


@router.post("/bulk/{job_id:int}/{what}")
def control(
    job_id: int,
    what: str,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    form: FormDep,  # noqa: ARG001 - carries the token of the session
    later: BackgroundTasks,
) -> Response:
    """Stop a job, go on with it, or take all of it back."""
    try:
        if what == "stop":
            steward.stop_bulk(bench.pipeline, bench.actor, job_id)
        elif what == "continue":
            later.add_task(steward.run_bulk, bench.pipeline, job_id, bench.policy)
        elif what == "undo":
            steward.undo_bulk(bench.pipeline, bench.actor, job_id, bench.policy)
    except TELLABLE as error:
        notice = refused(error)
        return page("told.html", request, session=session, status=409, notice=notice, back=f"/console/bulk/{job_id}")
    return RedirectResponse(f"/console/bulk/{job_id}", 303)


def _verdict(text: str) -> Verdict:
    return Verdict(text) if text in VERDICTS else Verdict.UNSURE


def _tokens(bench: Workbench, tasks: list[int]) -> Mapping[int, str | None]:
    """What was looked at, so that whatever changes before the job reaches it is refused, not decided blindly."""
    with snapshot(bench.engine) as work:
        found: dict[int, Any] = steward.task_tokens(work, tasks)
    return found
