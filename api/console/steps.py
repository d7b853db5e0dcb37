"""What one did last, and the way back from it: the one place that says what `z` takes back, and what it does not.

A decision, a proposal, and whose a question is or until when it is put off are taken back as they were. Of all else the
page says why it stays, or where it is ended.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import Connection
from starlette.responses import RedirectResponse

from api.console.forms import FormDep
from api.console.guard import SessionDep, needs, signed_in
from api.console.notices import KINDS, TELLABLE, Notice, ended, refused, sentence
from api.console.once import FormRoute
from api.console.pages import page
from api.console.wording import ago, day, number, person
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import ReadsDep
from api.routes.parameters import NumberPath, Parameters
from mdm.access import Permission
from mdm.hub import steward
from mdm.hub.steward import Step
from mdm.store.onboarding import ended_since
from mdm.store.read_release_samples import names_of
from mdm.store.read_review import bulk_job_of, bulk_job_of_proposal, decision, left_of_job, proposal_state
from mdm.store.reading import snapshot
from mdm.store.scoped import unrestricted

router = APIRouter(route_class=FormRoute, prefix="/console", include_in_schema=False, dependencies=[Depends(signed_in)])

_SHOWN = 12
#: Steps that are looked at until one is found that was not taken back.
_LATELY = 200
#: Steps that take others back. Other acts (an export, a key) are nobody's work on questions, and are not shown.
_TAKING_BACK = frozenset({"steward.undo", "steward.withdrawn", "steward.take_back_bulk"})
_STAYS = {
    "steward.comment": "What was said stays in the history. Leave another remark that puts it right.",
    "steward.rejected": "What was refused stays refused; its author may propose it again.",
    "steward.stop_bulk": "It goes on from its page.",
    "fix": "What was taken in is history. Correct the row in its platform, or mend the message that comes next.",
    "replay": "What was taken in is history: a replay does nothing where everything is in line.",
    "reopen": "Discard the message again.",
    "take": "Give it back there, or hand it over.",
    "hand over": "Take it there, or hand it over to somebody else.",
    "put down": "Take it there.",
}
_AGREED = "Two persons agreed on it: where the policy asks for two, taking it back is a proposal, too."
_WORDS = {
    "steward.comment": "Left a remark on {}",
    "steward.rejected": "Refused {}",
    "steward.approved": "Agreed to {}",
    "steward.propose": "Proposed {}",
    "steward.stop_bulk": "Stopped {}",
    "fix": "Mended and replayed {}",
    "replay": "Replayed {}",
    "reopen": "Opened {} again",
    "take": "Took {}",
    "hand over": "Handed {} over",
    "put down": "Gave {} back to everybody",
    "checkpoint_confirmed": "Confirmed a checkpoint of {}",
    "checkpoint_withdrawn": "Took a confirmation of {} back",
    "finding_waived": "Waived a finding of {}",
    "waiver_approved": "Agreed to a waiver of {}",
    "waiver_withdrawn": "Ended a waiver of {}",
    "onboarding_returned": "Returned {} to the requester",
    "onboarding_taken_up": "Took {} up again",
}
_READINESS = frozenset(
    {"checkpoint_confirmed", "checkpoint_withdrawn", "finding_waived", "waiver_approved", "waiver_withdrawn",
     "onboarding_returned", "onboarding_taken_up"}
)  # fmt: skip
#: Where other steps are ended, by the first word of what they are about.
_PLACES = {
    "release": "/console/releases", "close": "/console/close", "erasure": "/console/privacy",
    "finding": "/console/reconciliation", "dead": "/console/exceptions", "exception": "/console/exceptions",
    "proposal": "/console/approvals", "delegation": "/console/approvals",
}  # fmt: skip


#: By which step of the page of a customer a step of onboarding is taken back.
_ENDED_BY = {
    "checkpoint_confirmed": "withdraw", "finding_waived": "unwaive", "waiver_approved": "unwaive",
    "onboarding_returned": "take-up",
}  # fmt: skip
#: What somebody else may have done since, so that a step of onboarding is not there any more to be taken back.
_GONE = {
    "withdraw": {"checkpoint_withdrawn": "took it back", "checkpoint_confirmed": "confirmed it anew"},
    "unwaive": {"waiver_withdrawn": "ended it", "finding_waived": "waived it anew"},
    "take-up": {"onboarding_taken_up": "took it up again"},
}
_ENDINGS = {"checkpoint_withdrawn": "withdraw", "waiver_withdrawn": "unwaive", "onboarding_taken_up": "take-up"}


class Way(NamedTuple):
    """A step in words, and the way back: what is taken back (`back`: a decision, proposal or step, by its number), or a
    page where it is ended (`go`), or neither and the reason. `at_once`: `z` takes it back without showing it first;
    `ends_there`: it leads to the page, where it takes it back.
    """

    number: int
    at: datetime
    words: str
    back: tuple[str, int] | None = None
    go: str = ""
    why: str = ""
    at_once: bool = False
    taken_back: bool = False
    ends_there: bool = False

    @property
    def undo(self) -> str:
        """Where the form is sent that takes it back; empty where there is none."""
        if self.back is None:
            return ""
        what, number = self.back
        return f"/console/{what}s/{number}/{'withdraw' if what == 'proposal' else 'undo'}"


class Ending(NamedTuple):
    """How a step of onboarding is taken back: by which step of the customer's page, and about what."""

    what: str
    about: tuple[tuple[str, str], ...]

    @property
    def reason(self) -> str:
        """What its form says of itself, to be written over."""
        return "Looked at again: nothing to mend." if self.what == "take-up" else "Done by mistake."


def ending_of(step: Step) -> Ending | None:
    """How a step of onboarding is taken back; None for those that are done anew."""
    what = _ENDED_BY.get(step.action)
    return None if what is None else _ending(step, what)


def _ending(step: Step, what: str) -> Ending:
    named = ("checkpoint", "code", "path")
    return Ending(what, tuple((name, str(step.detail[name])) for name in named if name in step.detail))


class StepsParameters(Parameters):
    """The step that could not be taken back."""

    stays: int | None = None


@router.get("/steps")
def steps_page(
    look: Annotated[StepsParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """What one did last, each with the way back."""
    with reads.snapshot() as connection:
        ways = list(islice(_ways(bench, connection), _SHOWN))
    stays = next((each for each in ways if each.number == look.stays), None)
    notice = None
    if stays is not None:
        text = f"Nothing was taken back, for a key does not take back your last step: {ended(stays.words)} {stays.why}"
        notice = Notice(text, "warn")
    return page("steps.html", request, session=session, ways=ways, now=bench.now, notice=notice)


@router.post("/steps/{number:int}/undo", dependencies=[needs(Permission.DECIDE)])
def undo_step(
    number: NumberPath,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    form: FormDep,  # noqa: ARG001 - carries the token of the session
) -> Response:
    """Make whose questions are, or until when they are put off, what it was before."""
    try:
        tasks = steward.take_back(bench.pipeline, bench.actor, number)
    except TELLABLE as error:
        return page("told.html", request, session=session, status=409, notice=refused(error), back="/console/steps")
    where = f"/console/reviews/{tasks[0]}" if len(tasks) == 1 else "/console/reviews"
    return RedirectResponse(f"{where}?step={number}", 303)


def last_way(bench: Workbench, connection: Connection) -> Way | None:
    """The last step that was not taken back, whether it can be or not."""
    return next((each for each in _ways(bench, connection) if not each.taken_back), None)


def newest_step(bench: Workbench) -> str:
    """How the address of the next page says what was done: to be called after it."""
    with snapshot(unrestricted(bench.engine)) as work:
        step = next(steward.last_steps(work, bench.actor.name), None)
    return f"step={step.number}" if step is not None else ""


def told_step(bench: Workbench, connection: Connection, number: int | None) -> Notice | None:
    """What a step was, with the offer to take it back."""
    step = own_step(bench, number)
    if step is None:
        return None
    way = _way(connection, step, bench)
    if step.taken_back:
        return Notice(f"Taken back: {ended(way.words)}", "good", "undo")
    if (gone := _gone(step, bench)) is not None:
        return Notice(f"{ended(way.words)} {gone}", "warn")
    return Notice(ended(way.words), "good", "check", way.undo if way.at_once else "", "Undo")


def _ways(bench: Workbench, connection: Connection) -> Iterator[Way]:
    """One's own steps as the audit has them, about records that one reaches."""
    jobs, over = set[int](), set[tuple[str, Ending]]()
    with snapshot(unrestricted(bench.engine)) as work:
        for step in islice(steward.last_steps(work, bench.actor.name), _LATELY):
            if step.action not in _WORDS and (step.action in _TAKING_BACK or not step.action.startswith("steward.")):
                continue
            # Carried out in one's name when somebody else agreed to it: one's own step was to propose it, before that.
            if "approved_by" in step.detail:
                continue
            if (ended_by := _ENDINGS.get(step.action)) is not None:
                over.add((step.subject, _ending(step, ended_by)))
            ending = ending_of(step)
            if ending is not None and (step.subject, ending) in over:
                yield _way(connection, step, bench)._replace(taken_back=True, why="")
                continue
            job = _job(connection, step)
            if job in jobs:
                continue
            if job is not None:
                jobs.add(job)
                yield _of_job(connection, step, job, bench.now)
            else:
                yield _way(connection, step, bench)


def _job(connection: Connection, step: Step) -> int | None:
    """The job that a step began, or was one answer of."""
    if step.action == "steward.bulk":
        return int(step.subject.removeprefix("job "))
    if step.action == "steward.propose":
        return bulk_job_of_proposal(connection, int(step.subject.removeprefix("proposal ")))
    decided = step.detail.get("decision")
    return bulk_job_of(connection, decided) if isinstance(decided, int) else None


def _of_job(connection: Connection, step: Step, job: int, now: datetime) -> Way:
    words = f"Answered many questions at once: job {job}"
    if any(left_of_job(connection, job, now)):
        why = "All of it is taken back on its page."
        return Way(step.number, step.at, words, go=f"/console/bulk/{job}", why=why, ends_there=True)
    return Way(step.number, step.at, words, why="All of it was taken back, or nothing came of it.", taken_back=True)


def _way(connection: Connection, step: Step, bench: Workbench) -> Way:
    if step.action in steward.TAKEN_BACK_HERE:
        back, words = ("step", step.number), _work(step, bench.actor.name)
        return Way(step.number, step.at, words, back, at_once=True, taken_back=step.taken_back)
    decided = step.detail.get("decision")
    found = decision(connection, decided) if isinstance(decided, int) else None
    agreed = step.action == "steward.approved"
    if found is not None and (agreed or step.action == f"steward.{found.kind}"):
        words = f"{'Agreed to: ' if agreed else ''}{sentence(found)}"
        undo = ("decision", found.decision_id)
        why = _AGREED if agreed and not found.undone else ""
        return Way(step.number, step.at, words, undo, why=why, at_once=not agreed, taken_back=found.undone)
    if step.action == "steward.propose":
        return _proposed(connection, step, bench.now)
    words = _WORDS.get(step.action, step.action.removeprefix("steward.").replace("_", " ").capitalize() + ": {}")
    about = _about(step.subject)
    if step.action in _READINESS:
        return _of_onboarding(connection, step, words, bench)
    place, _, one = step.subject.partition(" ")
    go = f"/console/bulk/{one}" if place == "job" else _PLACES.get(place, "")
    why = _STAYS.get(step.action, "Where it can be taken back, its own page does so." if go else "It stays as it is.")
    return Way(step.number, step.at, words.format(about), go=go, why=why)


def _of_onboarding(connection: Connection, step: Step, words: str, bench: Workbench) -> Way:
    name = names_of(connection, [step.subject]).get(step.subject) or step.subject
    what = step.detail.get("checkpoint") or step.detail.get("code")
    words = words.format(name) + (
        f" ({str(what).replace('_', ' ') if 'checkpoint' in step.detail else what})" if what else ""
    )
    page = f"/console/customers/{step.subject}/readiness"
    if (gone := _gone(step, bench)) is not None:
        return Way(step.number, step.at, words, go=page, why=gone)
    if step.action in _ENDED_BY:
        why = "It is taken back on the customer's page, with a reason."
        return Way(step.number, step.at, words, go=f"{page}?step={step.number}", why=why, ends_there=True)
    return Way(step.number, step.at, words, go=page, why="Do it anew on the customer's page.")


def _gone(step: Step, bench: Workbench) -> str | None:
    """Who ended a step of onboarding, or took its place, since; None where it stands, or is none that ends."""
    ending = ending_of(step)
    if ending is None:
        return None
    since = _GONE[ending.what]
    with unrestricted(bench.engine).connect() as connection:
        found = ended_since(connection, step.subject, since, dict(ending.about), step.number)
    if found is None:
        return None
    who, action, at = found
    name = "You" if who == bench.actor.name else person(who)
    return f"{name} {since[action]} {ago(at, bench.now)}: nothing is left to take back."


def own_step(bench: Workbench, number: int | None) -> Step | None:
    """A step of one's own by its number."""
    if number is None:
        return None
    with snapshot(unrestricted(bench.engine)) as work:
        step = next(steward.last_steps(work, bench.actor.name, number), None)
    return step if step is not None and step.number == number else None


def _proposed(connection: Connection, step: Step, now: datetime) -> Way:
    proposal_id = int(step.subject.removeprefix("proposal "))
    kind, status, decided = proposal_state(connection, proposal_id, now)
    words = f"Proposed as number {proposal_id}: {KINDS.get(kind, kind).lower()}"
    if status == "open":
        return Way(step.number, step.at, words, ("proposal", proposal_id), at_once=True)
    found = decision(connection, decided) if decided is not None and kind != "undo" else None
    if found is not None and not found.undone:
        return Way(step.number, step.at, f"{words}, agreed to since", ("decision", found.decision_id), why=_AGREED)
    return Way(step.number, step.at, words, why=f"It is {status}.", taken_back=True)


def _work(step: Step, own: str) -> str:
    """Whose questions became, or until when they were put off."""
    some = step.tasks
    about = f"question {next(iter(some))}" if len(some) == 1 else f"{number(len(some))} questions"
    detail: Mapping[str, object] = step.detail
    if step.action == "steward.release" or (step.action == "steward.assign" and detail["to"] is None):
        return f"Gave {about} back to everybody"
    if step.action in ("steward.claim", "steward.assign"):
        if detail["to"] == own:
            return f"Took {about}"
        return f"Gave {about} to {person(str(detail['to']))}"
    if step.action == "steward.wake":
        return f"Woke {about} up"
    return f"Put {about} off until {day(datetime.fromisoformat(str(detail['until'])))}"


def _about(subject: str) -> str:
    """What a step was about, as pages call it."""
    for name, shown in (("task:", "question "), ("task ", "question "), ("entity:", ""), ("proposal:", "proposal ")):
        if subject.startswith(name):
            return shown + subject.removeprefix(name)
    return subject
