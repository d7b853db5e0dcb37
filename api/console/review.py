"""One question: both records, what would survive, what speaks for and against, and what hangs on the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import ranking
from api.access_log import shown as shown_to
from api.console import charts
from api.console.compare import Column, columns_of, compare
from api.console.forms import Form
from api.console.guard import SessionDep, needs
from api.console.notices import KINDS, Notice, proposed, sentence, told, withdrawn
from api.console.pages import page
from api.console.queue import QueueLook, QueueParameters, queue_object
from api.console.sessions import Session
from api.console.steps import told_step
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import Reads, ReadsDep
from api.errors import NOT_FOUND, refuse
from api.masking import show_lineage, show_values
from mdm.access import Eyes, Permission
from mdm.hub import steward
from mdm.hub.explain import PairExplanation, explain_two
from mdm.hub.foresee import foresee_union
from mdm.hub.meeting import met_by
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.read_golden import Member, members_of
from mdm.store.read_models import resolve_references
from mdm.store.read_queue import next_in_queue, previous_in_queue, queue_row
from mdm.store.read_review import (
    Question,
    decision_of_task,
    hanging_on,
    open_proposal_of_task,
    question,
    similar_decisions,
)
from mdm.store.reading import snapshot

router = APIRouter(prefix="/console", include_in_schema=False, dependencies=[needs(Permission.INSPECT)])

#: More columns than this no screen shows side by side.
_COLUMNS = 8
_MEMBERS = 50
_SIMILAR = 5
#: Less than this speaks for nobody, in bits.
_AUDIBLE = 0.5


@dataclass(frozen=True, slots=True)
class Typed:
    """What the form of an answer held. `picks` are records by the attribute that is taken from them."""

    reason: str = ""
    until: str = ""
    picks: Mapping[str, str] = field(default_factory=dict)


def typed_in(form: Form) -> Typed:
    """What a form held, so that no page after it loses it."""
    picks = {name: text for name, text in form.prefixed("pick.").items() if key_of(text) is not None}
    return Typed(form.text("reason"), form.text("until"), picks)


@router.get("/reviews/{task_id:int}")
def review(
    task_id: int, look: QueueLook, request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep
) -> Response:
    """A question with everything that is needed to answer it."""
    return review_page(task_id, look, request, session, bench, reads)


def review_page(
    task_id: int,
    look: QueueParameters,
    request: Request,
    session: Session,
    bench: Workbench,
    reads: Reads,
    notice: Notice | None = None,
    status: int = 200,
    typed: Typed | None = None,
) -> Response:
    """The page of a question; `notice` says what became of the last attempt, `typed` gives back what its form held."""
    ranking.ready(bench.engine, bench.rules, bench.now, bench.policy)
    filters = look.filters(bench.now, bench.actor.name)
    whole = look.columns == "all"
    with reads.snapshot() as connection:
        asked = _question(connection, task_id)
        row = queue_row(connection, task_id)
        place = row.place if row else None
        following = next_in_queue(connection, filters, place)
        previous = previous_in_queue(connection, filters, place) if place else None
        entities = [entity for entity in dict.fromkeys(asked.entities) if entity is not None]
        members = {entity: members_of(connection, entity, None, _MEMBERS) for entity in entities}
        columns = _columns(connection, asked, members, bench.eyes, whole)
        context: dict[str, Any] = {
            "hanging": hanging_on(connection, entities, bench.rules.platforms.erps),
            "similar": similar_decisions(connection, asked, _SIMILAR),
            "closed_by": decision_of_task(connection, task_id) if asked.status != "open" else None,
            "notice": notice
            or told(connection, look.done)
            or proposed(look.proposed)
            or withdrawn(look.withdrawn)
            or told_step(bench, connection, look.step),
            "waiting": open_proposal_of_task(connection, task_id, bench.now),
        }
    with snapshot(bench.engine) as work:
        state = steward.task_state(work, task_id)
        remarks = steward.comments(work, f"task:{task_id}")
        waiting = [steward.find_proposal(work, waits[0])] if (waits := context["waiting"]) is not None else []
        against = steward.against_answering(work, bench.actor, waiting, bench.policy)
    context |= {
        "asked": asked,
        "row": queue_object(row, bench.now) if row else None,
        "look": look,
        "now": bench.now,
        "me": bench.actor.name,
        "following": following,
        "previous": previous,
        "columns": columns,
        "whole": whole,
        "members": sum(map(len, members.values())),
        "state": state,
        "against": next(iter(against.values()), None),
        "remarks": remarks,
        "typed": typed or Typed(),
        "closed_words": sentence(context["closed_by"]) if context["closed_by"] else "",
        "decision_kinds": KINDS,
    }
    shown_to(request.scope, *entities)
    if asked.status == "open" and len(entities) == 2:
        explanation = explain_two(bench.engine, bench.rules, *asked.records)
        golden = foresee_union(bench.engine, bench.rules, asked.domain, entities)
        shown = _golden(asked.domain, golden, bench.eyes) if golden is not None else None
        context |= _evidence(bench, asked.domain, explanation)
        context["groups"] = compare(asked.domain, columns, shown, context["bits"])
    else:
        context["groups"] = compare(asked.domain, columns)
    return page("review.html", request, session=session, status=status, **context)


def _question(connection: Connection, task_id: int) -> Question:
    found = question(connection, task_id)
    if found is None:
        raise refuse(NOT_FOUND, f"There is no question {task_id}.")
    return found


def _columns(
    connection: Connection,
    asked: Question,
    members: Mapping[EntityId, Sequence[Member]],
    eyes: Eyes,
    whole: bool,
) -> list[Column]:
    """The two records in question, and with `whole` the other records of their golden records."""
    found = [(entity, member) for entity, each in members.items() for member in each]
    in_question = [each for key in asked.records for each in found if each[1].key == key]
    others = [each for each in found if each[1].key not in asked.records] if whole else []
    chosen = (in_question + others)[:_COLUMNS]
    entities = resolve_references(connection, [(asked.domain, member.attributes) for _, member in chosen])
    return columns_of(asked.domain, chosen, entities, eyes, asked.records)


def _golden(domain: Domain, golden: Any, eyes: Eyes) -> tuple[dict[str, Any], dict[str, Any]]:
    lineage = {name: show_lineage(domain, name, each.as_json(), eyes) for name, each in golden.lineage.items()}
    return show_values(domain, golden.values, eyes).values, lineage


def _evidence(bench: Workbench, domain: Domain, found: PairExplanation) -> dict[str, Any]:
    """The score as pictures, tables and short sentences; vetoes with their reasons."""
    model = bench.rules.models[domain]
    limits = model.thresholds
    contributions = found.score.contributions
    spoken = sorted((each for each in contributions if abs(each.bits) >= _AUDIBLE), key=lambda each: -abs(each.bits))
    return {
        "score": found.score,
        "limits": limits,
        "meetings": met_by(found.shared_keys, bench.eyes),
        "vetoes": found.score.reasons,
        "pros": [each for each in spoken if each.bits > 0],
        "cons": [each for each in spoken if each.bits < 0],
        "waterfall": charts.waterfall(
            found.score.prior,
            contributions,
            found.score.weight,
            {"ask": limits.possible, "join": limits.match},
        ),
        "gauge": charts.gauge(found.score.weight, limits.possible, limits.match),
        "bits": {each.comparison: each.bits for each in contributions if each.level != "unknown"},
    }


def key_of(text: str) -> CrosswalkKey | None:
    """A source row as forms name it: `system:type:key`."""
    parts = text.split(":", 2)
    return CrosswalkKey(*parts) if len(parts) == 3 else None
