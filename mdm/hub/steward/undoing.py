"""Taking back a decision: a new decision ends what it made and brings back what it ended. History only grows."""

from collections.abc import Mapping
from typing import Any

from mdm.errors import Conflict, NotFound
from mdm.hub.steward.discarding import plan_reopening
from mdm.model.delta import Recall
from mdm.model.hierarchy import NewRelation, Relation
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.model.stewardship import NewJudgement, NewOverride, Override, Plan, Undo, Verdict
from mdm.store import relations
from mdm.store import stewardship as store
from mdm.store.unit_of_work import UnitOfWork

#: Decisions of the hub itself, which would come about again at once.
_BY_ITSELF = frozenset({"expire"})


def plan_undo(work: UnitOfWork, command: Undo) -> Plan:
    """End what the decision made; make again what it ended, under its first author and reason.

    Raises:
        NotFound: there is no such decision.
        Conflict: it is undone already, or a later decision builds on it.
    """
    decision = store.find_decision(work, command.decision_id)
    if decision.undone_by is not None:
        raise Conflict(
            f"Decision {decision.decision_id} is undone already, by decision {decision.undone_by}.",
            action="Undo that one to have it back.",
        )
    if decision.kind in _BY_ITSELF:
        raise Conflict(
            f"Decision {decision.decision_id} ended what had come to its end date.", action="Decide the matter anew."
        )
    if decision.kind == "let_through":
        raise Conflict(
            f"Decision {decision.decision_id} let a change through to ERP, which nobody calls back.",
            action="Mend the value at its source: that change waits for somebody to agree like any other.",
        )
    if decision.kind == "discard":
        return plan_reopening(work, decision, command.reason)
    made, ended = store.judgements_of_decision(work, decision.decision_id)
    pinned, unpinned = store.overrides_of_decision(work, decision.decision_id)
    # What a later decision ended and its undoing brought back counts as never ended.
    verdicts, later = store.live_copies(work, "judgement", [each.origin for each in made])
    pins, later_pins = store.live_copies(work, "golden_override", [each.origin for each in pinned])
    related, unrelated = relations.relations_of_decision(work, decision.decision_id)
    words, later_words = store.live_copies(work, "customer_relation", [each.origin for each in related])
    later |= later_pins | later_words
    if later:
        numbers = ", ".join(map(str, sorted(later)))
        raise Conflict(
            f"Decision {decision.decision_id} was followed by decision {numbers} about the same matter.",
            action=f"Undo {numbers} first.",
        )
    pairs = {(each.a, each.b) for each in made}
    revived = [each for each in ended if (each.a, each.b) in pairs or not store.is_judged(work, each.a, each.b)]
    together = {(each.a, each.b) for each in revived if each.verdict == Verdict.SAME}
    return Plan(
        kind="undo",
        domain=decision.domain,
        records=frozenset(decision.records)
        | {rec for each in (*made, *ended) for rec in (each.a, each.b)}
        | {rec for each in (*pinned, *unpinned) for rec in each.anchors},
        reason=command.reason,
        judgements=tuple(
            NewJudgement(each.a, each.b, Verdict(each.verdict), each.author, each.reason, each.until, each.origin)
            for each in revived
        ),
        supersede=tuple(verdicts.values()),
        overrides=tuple(_again(each) for each in unpinned),
        end_overrides=tuple(pins.values()),
        relations=tuple(_said_again(each) for each in unrelated),
        end_relations=tuple(words.values()),
        entities=tuple(sorted(_parties(*related, *unrelated))),
        attributes=frozenset(each.attribute for each in (*pinned, *unpinned))
        | frozenset(each.kind.value for each in (*related, *unrelated)),
        apart=tuple((each.a, each.b) for each in revived if each.verdict == Verdict.NOT_SAME),
        together=tuple(sorted(together)) if not any(each.verdict == Verdict.NOT_SAME for each in revived) else (),
        task_id=decision.task_id,
        undoes=decision.decision_id,
        undoes_agreed=decision.approved_by is not None,
        recall=_as_it_was(work, decision.effect),
    )


def _as_it_was(work: UnitOfWork, effect: Mapping[str, Any]) -> Recall:
    """The ids that records had before a decision, and whom ids that it brought back had been absorbed by."""
    left = {CrosswalkKey(**move["record"]): EntityId(move["left"]) for move in effect.get("moves", ()) if move["left"]}
    return Recall(
        homes={rec: left[key] for key, rec in store.ids_of(work, left).items()},
        absorbers={
            EntityId(each["entity_id"]): EntityId(each["absorbed_by"])
            for each in effect.get("entities", ())
            if each["absorbed_by"]
        },
    )


def last_decision(work: UnitOfWork, actor: str) -> int:
    """The newest decision of a person that can be undone.

    Raises:
        NotFound: there is none.
    """
    rows = work.query(
        """select decision_id from decision
           where actor = %s and undone_by is null and kind not in ('undo', 'expire', 'let_through')
           order by decision_id desc limit 1""",
        actor,
    )
    if not rows:
        raise NotFound(f"There is no decision of {actor} to undo.")
    return int(rows[0][0])


def _again(each: Override) -> NewOverride:
    return NewOverride(
        each.attribute, each.value, each.anchors, each.overruled, each.author, each.reason, each.created_at,
        each.expires_at, each.origin,
    )  # fmt: skip


def _said_again(each: Relation) -> NewRelation:
    return NewRelation(
        each.kind, each.child, each.parent, each.period, each.author, each.reason, each.created_at, each.origin
    )


def _parties(*relations: Relation) -> set[EntityId]:
    return {party for each in relations for party in (each.child, each.parent) if party is not None}
