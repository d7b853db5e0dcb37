"""Answering a question: decide and go on to the next, look at the effect first, take it back, and everything around."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from api.console.effects import effect_object
from api.console.forms import Form, FormDep
from api.console.guard import SessionDep, needs, page_before
from api.console.notices import TELLABLE, Notice, outcome, refused
from api.console.once import FormRoute
from api.console.pages import page
from api.console.queue import QueueLook, QueueParameters
from api.console.review import Typed, key_of, review_page, typed_in
from api.console.sessions import Session
from api.console.show import record_address
from api.console.steps import last_way, newest_step, undo_step
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import Reads, ReadsDep
from mdm.access import Permission
from mdm.errors import Invalid
from mdm.hub import steward
from mdm.hub.steward import Expected
from mdm.model.ids import EntityId
from mdm.model.stewardship import JudgeTask, Pick, Undo, Verdict
from mdm.store.read_models import find_entity
from mdm.store.read_queue import next_in_queue, queue_row
from mdm.store.read_review import decision, open_proposal_of_task, question, task_of_same_question
from mdm.store.reading import snapshot

router = APIRouter(
    route_class=FormRoute, prefix="/console", include_in_schema=False, dependencies=[needs(Permission.DECIDE)]
)


@router.post("/reviews/{task_id:int}/decide")
def decide(
    task_id: int,
    look: QueueLook,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
) -> Response:
    """Carry out a verdict, and values picked by hand, and go on to the next question."""
    following = _following(reads, look, bench, task_id)
    try:
        decided = bench.decide(_answer(task_id, form), Expected.task(form.text("token")))
    except TELLABLE as error:
        status = 422 if isinstance(error, Invalid) else 409
        return review_page(task_id, look, request, session, bench, reads, refused(error), status, typed_in(form))
    return RedirectResponse(_next_address(look, following, outcome(decided)), 303)


def _answer(task_id: int, form: Form) -> JudgeTask:
    """The answer that a form holds, with the values that were picked by hand.

    Raises:
        Invalid: it holds none, or what it names is not understood.
    """
    said = form.text("verdict")
    if said not in list(Verdict):
        raise Invalid("Which answer is meant is not said.", action="Choose merge, not a match or unsure.")
    picks = typed_in(form).picks if said == Verdict.SAME else {}
    # An end belongs to "not a match" alone; left in the form, it keeps nobody from another answer.
    until = form.day_end("until") if said == Verdict.NOT_SAME else None
    taken = tuple(Pick(name, key) for name, text in picks.items() if (key := key_of(text)) is not None)
    return JudgeTask(task_id, Verdict(said), form.text("reason"), until, taken)


class PreviewParameters(QueueParameters):
    """Which answer to look ahead at."""

    verdict: Verdict = Verdict.SAME


@router.get("/reviews/{task_id:int}/preview")
def preview(
    task_id: int,
    look: Annotated[PreviewParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """Everything that a verdict would change, found out by the very engine that carries it out."""
    return _preview(JudgeTask(task_id, look.verdict), Typed(), look, request, session, bench, reads)


@router.post("/reviews/{task_id:int}/preview")
def preview_as_typed(
    task_id: int,
    look: QueueLook,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
) -> Response:
    """The same with the values that were picked, and nothing that was typed is lost on the way there and back."""
    typed = typed_in(form)
    if form.text("what") == "back":
        return review_page(task_id, look, request, session, bench, reads, typed=typed)
    try:
        command = _answer(task_id, form)
    except Invalid as error:
        return review_page(task_id, look, request, session, bench, reads, refused(error), 422, typed)
    return _preview(command, typed, look, request, session, bench, reads)


def _preview(
    command: JudgeTask,
    typed: Typed,
    look: QueueParameters,
    request: Request,
    session: Session,
    bench: Workbench,
    reads: Reads,
) -> Response:
    with reads.snapshot() as connection:
        waits = open_proposal_of_task(connection, command.task_id, bench.now) is not None
    if waits:  # no other answer is offered meanwhile, so there is nothing to look ahead at
        return review_page(command.task_id, look, request, session, bench, reads, typed=typed)
    try:
        found = bench.preview(command)
    except TELLABLE as error:
        return review_page(command.task_id, look, request, session, bench, reads, refused(error), 409, typed)
    with reads.snapshot() as connection:
        asked = question(connection, command.task_id)
    with snapshot(bench.engine) as work:
        token = steward.task_tokens(work, [command.task_id]).get(command.task_id)
    query = "&".join(part for part in (look.query.replace(f"verdict={command.verdict.value}", "").strip("&"),) if part)
    return page(
        "preview.html",
        request,
        session=session,
        asked=asked,
        verdict=command.verdict.value,
        typed=typed,
        token=token or "",
        back=f"/console/reviews/{command.task_id}" + (f"?{query}" if query else ""),
        query=query,
        effect=effect_object(bench, found.effect),
        demands=found.demands,
        digest=found.digest,
    )


@router.post("/decisions/last/undo")
def undo_last(request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep, form: FormDep) -> Response:
    """Take back what one did last: a decision, a proposal, whose a question is or until when it is put off. What is not
    taken back so is told, or shown where it ends, and nothing else is taken back in its place."""
    with reads.snapshot() as connection:
        last = last_way(bench, connection)
    if last is None:
        notice = _say("There is nothing of yours to take back.")
        return page("told.html", request, session=session, status=404, notice=notice, back="/console/reviews")
    if last.ends_there:
        return RedirectResponse(last.go, 303)
    if last.back is None or not last.at_once:
        return RedirectResponse(f"/console/steps?stays={last.number}", 303)
    what, number = last.back
    if what == "step":
        return undo_step(number, request, session, bench, form)
    if what == "proposal":
        return withdraw(number, request, session, bench, form)
    return undo(number, request, session, bench, reads, form)


@router.post("/proposals/{proposal_id:int}/withdraw")
def withdraw(
    proposal_id: int,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    form: FormDep,  # noqa: ARG001 - carries the token of the session
) -> Response:
    """Take a proposal of one's own back, and return to the question it answered."""
    try:
        with snapshot(bench.engine) as work:
            task_id = steward.find_proposal(work, proposal_id).task_id
        steward.withdraw(bench.pipeline, bench.actor, proposal_id)
    except TELLABLE as error:
        return page("told.html", request, session=session, status=409, notice=refused(error), back="/console/approvals")
    if task_id is None:
        return RedirectResponse(f"/console/approvals?done=Proposal {proposal_id} is withdrawn", 303)
    return RedirectResponse(f"/console/reviews/{task_id}?withdrawn={proposal_id}", 303)


@router.post("/decisions/{decision_id:int}/undo")
def undo(
    decision_id: int, request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep, form: FormDep
) -> Response:
    """Take a decision back, and return to the question it answered."""
    with reads.snapshot() as connection:
        before = decision(connection, decision_id)
    try:
        decided = bench.decide(Undo(decision_id, form.text("reason")))
    except TELLABLE as error:
        return page("told.html", request, session=session, status=409, notice=refused(error), back="/console/reviews")
    address = "/console/exceptions" if before is not None and before.kind == "discard" else "/console/reviews"
    if before is not None and before.task_id is not None and before.kind in ("same", "not_same", "unsure"):
        with reads.snapshot() as connection:
            reopened = task_of_same_question(connection, before.task_id)
        address = f"/console/reviews/{reopened}" if reopened is not None else address
    elif before is not None and before.kind in ("relate", "end_relation") and before.entities:
        # Child and parent are both touched: back to the one whose page it was taken back on.
        came = page_before(request)
        customer = next((each for each in before.entities if f"/{each}/" in came), before.entities[0])
        return RedirectResponse(f"/console/customers/{customer}/hierarchy?{outcome(decided)}", 303)
    elif before is not None and (entity := _active(reads, before.entities)) is not None:
        address = record_address(entity)
    return RedirectResponse(f"{address}?{outcome(decided)}", 303)


def _active(reads: Reads, entities: Sequence[str]) -> EntityId | None:
    """The first of some golden records that there is."""
    with reads.snapshot() as connection:
        states = [find_entity(connection, each) for each in entities]
    return next((each.entity_id for each in states if each is not None and each.status == "active"), None)


@router.post("/reviews/{task_id:int}/{what}")
def work_on(
    task_id: int,
    what: Literal["claim", "release", "assign", "snooze", "comment"],
    look: QueueLook,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
) -> Response:
    """Take a question, hand it over, put it off, or remark on it. Stays on the page, except after a snooze; the page
    says what was done."""
    actions: dict[str, Callable[[], object]] = {
        "claim": lambda: steward.assign(bench.pipeline, bench.actor, task_id, bench.actor.name),
        "release": lambda: steward.release(bench.pipeline, bench.actor, task_id),
        "assign": lambda: steward.assign(bench.pipeline, bench.actor, task_id, form.person("assignee")),
        "snooze": lambda: steward.snooze(bench.pipeline, bench.actor, task_id, _until(form, bench.now)),
        "comment": lambda: steward.comment(bench.pipeline, bench.actor, f"task:{task_id}", form.text("text")),
    }
    following = _following(reads, look, bench, task_id) if what == "snooze" else None
    try:
        actions[what]()
    except TELLABLE as error:
        return review_page(task_id, look, request, session, bench, reads, refused(error), 409)
    return RedirectResponse(_next_address(look, following if what == "snooze" else task_id, newest_step(bench)), 303)


def _following(reads: Reads, look: QueueParameters, bench: Workbench, task_id: int) -> int | None:
    """The question after this one that takes an answer, found before this one is answered and leaves the queue."""
    filters = replace(look.filters(bench.now, bench.actor.name), unanswered_at=bench.now)
    with reads.snapshot() as connection:
        row = queue_row(connection, task_id)
        return next_in_queue(connection, filters, row.place if row else None)


def _next_address(look: QueueParameters, following: int | None, became: str) -> str:
    query = "&".join(part for part in (look.query, became) if part)
    address = f"/console/reviews/{following}" if following is not None else "/console/reviews"
    return f"{address}?{query}" if query else address


def _until(form: Form, now: datetime) -> datetime | None:
    written = form.text("until")
    if written in ("1", "3", "7"):
        return now + timedelta(days=int(written))
    return form.day_end("until")


def _say(text: str) -> Notice:
    return Notice(text, "bad", "exception")
