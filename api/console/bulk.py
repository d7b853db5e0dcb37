"""One answer to many questions: seen as a whole first, carried out with progress that can be left and come back to."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, BackgroundTasks, Request, Response
from starlette.responses import RedirectResponse

from api.afterwards import afterwards
from api.console.effects import effect_object
from api.console.forms import Form, FormDep
from api.console.guard import SessionDep, needs
from api.console.notices import TELLABLE, Notice, refused
from api.console.once import FormRoute
from api.console.pages import page
from api.console.queue import QueueLook, QueueParameters
from api.console.sessions import Session
from api.console.steps import newest_step
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import Reads, ReadsDep
from mdm.access import Permission
from mdm.errors import Invalid, Refused
from mdm.hub import steward
from mdm.hub.steward import Answer, Handled, Job
from mdm.model.stewardship import Verdict
from mdm.store.queue_order import tasks_in_order
from mdm.store.read_review import left_of_job
from mdm.store.reading import snapshot

router = APIRouter(
    route_class=FormRoute, prefix="/console", include_in_schema=False, dependencies=[needs(Permission.DECIDE)]
)

_SAMPLE = 5
#: Reasons why something was not done that are told one by one.
_REASONS = 5
VERDICTS = {"same": "merge", "not_same": "not a match", "unsure": "unsure"}


@router.post("/reviews/bulk")
def look_first(
    look: QueueLook,
    session: SessionDep,
    request: Request,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
    later: BackgroundTasks,
) -> Response:
    """Take, hand over or put off questions, or find out what one answer to all would do before it is done. Meant are
    those that are ticked, or all that fit the filters."""
    tasks = _fitting(look, bench, reads) if form.text("all") else form.numbers("task")
    # The Enter key in a field presses no button: what is meant is what is filled in.
    filled = "assign" if form.text("assignee") else "snooze" if form.text("snooze_until") else ""
    what = form.text("what") or filled
    back = "/console/reviews" + (f"?{look.query}" if look.query else "")
    if not tasks:
        unticked = Notice("No question is ticked. Tick some first (x on a row).", "bad", "exception")
        return _told(request, session, unticked, back)
    try:
        if (act := _work_on(bench, form, what)) is not None:
            more = len(tasks) > steward.MOST_ITEMS
            if more:
                _must_leave_the_list(look, what)
            handled = act(tasks[: steward.MOST_ITEMS])
            following = back + ("&" if look.query else "?") + newest_step(bench) if handled.done else back
            return _handled(handled, more, following, lambda notice: _told(request, session, notice, back))
        tasks = tasks[: steward.MOST_ITEMS]
        job_id = steward.start_look(bench.pipeline, bench.actor, _tokens(bench, tasks), Answer(_verdict(what)))
        if len(tasks) <= steward.AT_A_TIME:
            steward.run_look(bench.pipeline, job_id, bench.policy)
        else:
            afterwards(later, steward.run_look, bench.pipeline, job_id, bench.policy)
    except TELLABLE as error:
        return _told(request, session, refused(error), back)
    return RedirectResponse(f"/console/bulk/{job_id}" + (f"?{look.query}" if look.query else ""), 303)


def _fitting(look: QueueParameters, bench: Workbench, reads: Reads) -> list[int]:
    """The questions that fit the filters, the most urgent first: as many as a job takes, and one more if there are."""
    with reads.snapshot() as connection:
        return tasks_in_order(connection, look.filters(bench.now, bench.actor.name), steward.MOST_ITEMS + 1)


def _work_on(bench: Workbench, form: Form, what: str) -> Callable[[Sequence[int]], Handled] | None:
    """What is done with the questions without an answer: take, hand over, put off; None for an answer."""
    if what in ("claim", "assign"):
        somebody = bench.actor.name if what == "claim" else form.person("assignee")
        return lambda tasks: steward.assign_all(bench.pipeline, bench.actor, tasks, somebody)
    if what == "snooze":
        until = form.day_end("snooze_until")
        if until is None:
            raise Invalid("Until when they are put off is not said.", action="Give a day.")
        return lambda tasks: steward.snooze_all(bench.pipeline, bench.actor, tasks, until)
    return None


def _must_leave_the_list(look: QueueParameters, what: str) -> None:
    """Questions are more than are taken, handed over or put off at once; the others follow by doing the same again.

    Raises:
        Invalid: those that are done would stay in the list, so that doing it again would reach the same ones.
    """
    if not (look.who != "snoozed" if what == "snooze" else look.who == "unassigned"):
        way = "Narrow them down." if what == "snooze" else "Choose those that are nobody's (Whose): they go by parts."
        most = f"{steward.MOST_ITEMS:,}".replace(",", "\u202f")
        raise Invalid(f"At most {most} are taken, handed over or put off at once.", action=way)


def _handled(handled: Handled, more: bool, back: str, told: Callable[[Notice], Response]) -> Response:
    done, failed = len(handled.done), len(handled.refusals)
    if failed:
        some = " ".join(why for _, why in handled.refusals[:_REASONS])
        rest = f" And {failed - _REASONS} more like these." if failed > _REASONS else ""
        text = f"{done} of {done + failed} done; not the other{'s' if failed > 1 else ''}: {some}{rest}"
        return told(Notice(text, "bad", "exception"))
    if more:
        text = f"The {done} most urgent are done. More are left: do the same again."
        return told(Notice(text, "warn", "clock"))
    return RedirectResponse(back, 303)


def _told(request: Request, session: Session, notice: Notice, back: str) -> Response:
    status = 200 if notice.tone == "warn" else 409
    return page("told.html", request, session=session, status=status, notice=notice, back=back)


@router.post("/bulk")
def start(
    request: Request, session: SessionDep, bench: WorkbenchDep, form: FormDep, later: BackgroundTasks
) -> Response:
    """Carry out what was looked at; its page shows how far it is."""
    try:
        seen = steward.bulk_job(bench.pipeline, form.number("look") or 0)
        if seen.actor != bench.actor.name or seen.purpose is not steward.Purpose.LOOK:
            raise Refused("Only who looked at it carries it out.", action="Tick the questions yourself.")
        # A second click, the page before or a form that is sent again confirms nothing anew: it finds the job there is.
        there = steward.carried_out_by(bench.pipeline, seen.job_id)
        if there is not None:
            return RedirectResponse(f"/console/bulk/{there}", 303)
        answer = Answer(seen.answer.verdict, form.text("reason"))
        items = steward.items_possible(bench.pipeline, seen.job_id)
        job_id = steward.start_bulk(bench.pipeline, bench.actor, items, answer, look=seen.job_id)
    except TELLABLE as error:
        return page("told.html", request, session=session, status=409, notice=refused(error), back="/console/reviews")
    afterwards(later, steward.run_bulk, bench.pipeline, job_id, bench.policy)
    return RedirectResponse(f"/console/bulk/{job_id}", 303)


@router.get("/bulk/{job_id:int}")
def job_page(
    job_id: int, look: QueueLook, request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep
) -> Response:
    """How far a job is: can be left and come back to. What a look has found, and the form that carries it out."""
    job = steward.bulk_job(bench.pipeline, job_id)
    if job.purpose is not steward.Purpose.LOOK:
        with reads.snapshot() as connection:
            holding, waiting = left_of_job(connection, job_id, bench.now)
        return page(
            "bulk_job.html", request, session=session, now=bench.now, job=job, own=job.actor == bench.actor.name,
            words=VERDICTS, holding=holding, waiting=waiting,
        )  # fmt: skip
    found, some = steward.looked_at(bench.pipeline, job, _SAMPLE if job.status == "done" else 0)
    return page(
        "bulk_confirm.html",
        request,
        session=session,
        now=bench.now,
        back="/console/reviews" + (f"?{look.query}" if look.query else ""),
        job=job,
        own=job.actor == bench.actor.name,
        carried_out=steward.carried_out_by(bench.pipeline, job_id),
        words=VERDICTS,
        found=found,
        sample=_sample(bench, job, some),
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
    """Stop a job, go on with it, or take all of it back by a job of its own."""
    try:
        if what == "stop":
            steward.stop_bulk(bench.pipeline, bench.actor, job_id)
        elif what == "continue":
            steward.own_job(bench.pipeline, bench.actor, job_id, "goes on with it")
            afterwards(later, steward.run_job, bench.pipeline, job_id, bench.policy)
        elif what == "undo":
            job_id = steward.start_take_back(bench.pipeline, bench.actor, job_id)
            afterwards(later, steward.run_bulk, bench.pipeline, job_id, bench.policy)
    except TELLABLE as error:
        notice = refused(error)
        return page("told.html", request, session=session, status=409, notice=notice, back=f"/console/bulk/{job_id}")
    return RedirectResponse(f"/console/bulk/{job_id}", 303)


def _sample(bench: Workbench, job: Job, tasks: Sequence[int]) -> list[tuple[int, Mapping[str, Any]]]:
    """What the answer would do to some questions, each by itself and as of now."""
    found: list[tuple[int, Mapping[str, Any]]] = []
    for task_id in tasks:
        try:
            found.append((task_id, effect_object(bench, bench.preview(job.answer.to(task_id)).effect)))
        except TELLABLE:  # it has been answered since
            continue
    return found


def _verdict(text: str) -> Verdict:
    if text not in VERDICTS:
        raise Invalid("What is meant for the ticked questions is not said.", action="Press one of the buttons.")
    return Verdict(text)


def _tokens(bench: Workbench, tasks: list[int]) -> Mapping[int, str | None]:
    """What was looked at, so that whatever changes before the job reaches it is refused, not decided blindly."""
    with snapshot(bench.engine) as work:
        found: dict[int, Any] = steward.task_tokens(work, tasks)
    return found
