"""Carrying out a plan inside a unit of work: write what was decided, settle what it reaches, tell what it did."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import orjson

from mdm.core.announce import check_announcements, decided
from mdm.core.rules import Rules
from mdm.errors import Conflict, Invalid
from mdm.hub.in_force import in_force
from mdm.hub.resolve import DomainChange, resolve_domain
from mdm.hub.steward.discarding import close_and_open
from mdm.hub.steward.effects import observe, summary
from mdm.hub.steward.letting_through import let_it_through
from mdm.hub.steward.relating import refuse_circles, relation_effects
from mdm.model.delta import IdentityDelta, Recall
from mdm.model.ids import RESOLUTION_ORDER, Domain, EntityId, RecordId
from mdm.model.stewardship import Effect, Plan
from mdm.store import pairs, relations
from mdm.store import stewardship as store
from mdm.store.identity import write_announcements
from mdm.store.ledger import write_audit
from mdm.store.letters import exposure_of_letters
from mdm.store.unit_of_work import UnitOfWork
from mdm.store.worklist import rank_again


def settle_anew(
    work: UnitOfWork,
    rules: Rules,
    domain: Domain,
    records: Collection[RecordId],
    cause: str,
    recall: Recall | None = None,
) -> list[IdentityDelta]:
    """Settle everything these records reach, by the rules in force, then what depends on records that moved."""
    rules = in_force(work.query, rules)
    deltas: list[IdentityDelta] = []
    recall = recall or Recall()
    moved: set[RecordId] = set()
    for each in RESOLUTION_ORDER[RESOLUTION_ORDER.index(domain) :]:
        if each is domain:
            change = DomainChange(changed=frozenset(records), cause=cause, recall=recall)
        elif each is Domain.CONTRACT and moved:
            dirty = pairs.contracts_by_target(work, moved, (), rules.models[each].block_cap)
            change = DomainChange(dirty=frozenset(dirty), recall=recall)
        else:
            continue
        if change.empty:
            continue
        resolved = resolve_domain(work, each, change, rules)
        moved |= resolved.moved
        deltas.append(resolved.delta)
    work.publish()  # the effect is read back, golden versions included
    return deltas


def carry_out(
    work: UnitOfWork, rules: Rules, plan: Plan, actor: str, command: dict[str, Any], approval: "Approval | None" = None
) -> tuple[int, Effect]:
    """Write the decision and all it means; returns its id and its effect.

    Raises:
        Conflict: other verdicts keep the plan from coming true.
        Invalid: it would make somebody their own parent.
    """
    decision_id: int = work.query(
        """insert into decision (kind, domain, actor, reason, command, effect, records, entities, task_id, proposal_id,
               approved_by, undoes, batch_id, at, pattern)
           values (%s, %s, %s, %s, %s, '{}', %s::bigint[], '{}', %s, %s, %s, %s, %s, %s, %s::text[])
           returning decision_id""",
        plan.kind, plan.domain.value if plan.domain else None, actor, plan.reason,
        orjson.dumps(command).decode(), sorted(plan.records),
        plan.task_id, approval.proposal_id if approval else None, approval.approver if approval else None,
        plan.undoes, work.batch_id, work.now, list(plan.pattern) if plan.pattern is not None else None,
    )[0][0]  # fmt: skip
    effect = _effect(work, rules, plan, actor, decision_id, agreed=approval is not None)
    _answer_tasks(work, plan, decision_id, effect)
    if plan.undoes is not None:
        work.execute("update decision set undone_by = %s where decision_id = %s", decision_id, plan.undoes)
        _reopen_tasks(work, plan.undoes)
    kept = summary(effect)
    work.execute(
        "update decision set effect = %s, entities = %s where decision_id = %s",
        orjson.dumps(kept).decode(),
        [each.entity_id for each in effect.entities],
        decision_id,
    )
    detail: dict[str, object] = {"decision": decision_id, "reason": plan.reason, **kept}
    if plan.undoes is not None:
        detail["undoes"] = plan.undoes
    if approval is not None:
        detail |= {"proposal": approval.proposal_id, "approved_by": approval.approver}
    write_audit(work, actor, f"steward.{plan.kind}", _subject(plan, decision_id), detail)
    return decision_id, effect


def _effect(work: UnitOfWork, rules: Rules, plan: Plan, actor: str, decision_id: int, *, agreed: bool) -> Effect:
    if plan.let_through is not None:
        return let_it_through(work, plan.let_through)
    if plan.domain is not None:
        return _of_records(work, rules, plan, plan.domain, decision_id, agreed=agreed)
    return Effect(letters=close_and_open(work, plan, actor), exposure=exposure_of_letters(work, plan.discard))


def _of_records(
    work: UnitOfWork, rules: Rules, plan: Plan, domain: Domain, decision_id: int, *, agreed: bool
) -> Effect:
    at, homes = work.now, _homes(work, plan)
    store.supersede_judgements(work, plan.supersede, decision_id)
    store.write_judgements(work, domain, plan.judgements, decision_id)
    store.end_overrides(work, plan.end_overrides, decision_id)
    store.write_overrides(work, domain, plan.overrides, decision_id)
    relations.end_relations(work, plan.end_relations, decision_id)
    relations.write_relations(work, plan.relations, decision_id)
    deltas = settle_anew(work, rules, domain, plan.records, plan.cause, plan.recall)
    _check(work, plan)
    refuse_circles(work, plan)
    homes_now = _homes(work, plan)
    versions = _versions(work, {*plan.entities, *homes, *homes_now})
    announcements = decided(plan, domain, versions, decision_id, at, agreed=agreed)
    check_announcements(announcements)
    write_announcements(work, announcements)
    observed = observe(work, deltas, plan.entities or homes_now, rules.platforms.erps, announcements)
    return replace(observed, relations=relation_effects(work, plan, decision_id))


class Approval:
    """A second person's agreement."""

    __slots__ = ("approver", "proposal_id")

    def __init__(self, proposal_id: int, approver: str) -> None:
        self.proposal_id = proposal_id
        self.approver = approver


def _subject(plan: Plan, decision_id: int) -> str:
    return f"task {plan.task_id}" if plan.task_id is not None else f"decision {decision_id}"


def _homes(work: UnitOfWork, plan: Plan) -> list[EntityId]:
    rows = work.query("select distinct entity_id from crosswalk where rec_id = any(%s)", sorted(plan.records))
    return [EntityId(row[0]) for row in rows]


def _versions(work: UnitOfWork, entities: Collection[EntityId]) -> dict[EntityId, int | None]:
    """The current golden version of each; None for those that have ended."""
    current = dict(
        work.query(
            "select entity_id, version from golden where entity_id = any(%s) and known_to is null", sorted(entities)
        )
    )
    return {each: current.get(each) for each in entities}


def _check(work: UnitOfWork, plan: Plan) -> None:
    """What was decided is so now, or nothing of it happens."""
    ends = sorted({rec for pair in (*plan.together, *plan.apart) for rec in pair})
    home = dict(work.query("select rec_id, entity_id from crosswalk where rec_id = any(%s)", ends))
    if any(home.get(a) != home.get(b) for a, b in plan.together):
        raise Conflict(
            "Earlier verdicts 'not the same' about other records of these entities keep them apart.",
            action="Merge the two entities instead: that shows the verdicts and can end them.",
        )
    if any(home.get(a) == home.get(b) for a, b in plan.apart):
        raise Invalid("The records would still be one entity; this is a defect, please report it.")


def _answer_tasks(work: UnitOfWork, plan: Plan, decision_id: int, effect: Effect) -> None:
    """Tasks that this decision closed were answered by it; one that stays open remembers the decision too."""
    closed = [each.task_id for each in effect.tasks_closed if each.task_id is not None]
    if closed and plan.kind in _ANSWERS:
        work.execute("update steward_task set status = 'resolved' where task_id = any(%s)", closed)
    about = sorted({*closed, *([plan.task_id] if plan.task_id is not None else [])})
    if about:
        work.execute(
            """insert into task_work as w (task_id, version, decision_id) select unnest(%s::bigint[]), 1, %s
               on conflict (task_id) do update
               set version = w.version + 1, decision_id = excluded.decision_id, snoozed_until = null""",
            about,
            decision_id,
        )


def _reopen_tasks(work: UnitOfWork, undone: int) -> None:
    """Questions that are asked again because their answer was taken back are the same tasks as before."""
    again = work.query(
        """select o.task_id, n.task_id
           from decision d cross join lateral jsonb_array_elements_text(d.effect->'tasks_closed') c(id)
           cross join lateral (
               select task_id, question from steward_task where task_id = c.id::bigint and status <> 'open' offset 0) o
           cross join lateral (
               select task_id, batch_id from steward_task where question = o.question and status = 'open' offset 0) n
           where d.decision_id = %s and n.batch_id = %s""",
        undone,
        work.batch_id,
    )
    work.execute("delete from steward_task where task_id = any(%s)", [row[1] for row in again])
    tasks = [row[0] for row in again]
    work.execute("update steward_task set status = 'open', closed_at = null where task_id = any(%s)", tasks)
    rank_again(work, tasks)


#: Decisions that answer the question of a task, as opposed to making it pointless.
_ANSWERS = frozenset({"same", "not_same", "merge", "confirm", "clear", "override"})
