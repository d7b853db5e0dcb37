"""From a verdict, a merge or a split to the judgements that say exactly that."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from itertools import combinations, pairwise, product

from mdm.core.identity import group
from mdm.core.overrides import CHALLENGE
from mdm.core.rules import Rules
from mdm.core.splitting import subtree
from mdm.errors import Conflict, Invalid, NotFound
from mdm.hub.steward.actor import Actor
from mdm.hub.steward.pins import with_picks
from mdm.hub.steward.similar import pattern_of
from mdm.hub.steward.tokens import Expected, check_task
from mdm.model.ids import Domain, RecordId
from mdm.model.neighbourhood import Neighbourhood
from mdm.model.stewardship import JudgePair, JudgeTask, Merge, NewJudgement, Plan, Split, Verdict
from mdm.store import stewardship as store
from mdm.store.neighbourhood import load_neighbourhood
from mdm.store.unit_of_work import UnitOfWork

#: A split writes a verdict for every pair it parts; above this a person should look at the cluster another way.
MAX_PARTED_PAIRS = 20_000


def plan_task(work: UnitOfWork, rules: Rules, actor: Actor, command: JudgeTask, expected: Expected) -> Plan:
    """Answer a task's question, and pin the values that go with the answer.

    Raises:
        NotFound: there is no such task.
        Conflict: it is answered already.
        Stale: it is not what the caller looked at.
        Invalid, Refused: a value cannot be picked.
    """
    rows = work.query(
        "select kind, domain, a, b, status from steward_task where task_id = %s for update", command.task_id
    )
    if not rows:
        raise NotFound(f"There is no task {command.task_id}.")
    kind, domain, a, b, status = rows[0]
    if status != "open":
        raise Conflict(f"Task {command.task_id} is closed already.", action=_who_closed(work, command.task_id))
    if kind == CHALLENGE:
        raise Invalid(
            f"Task {command.task_id} asks whether an override still holds, not whether two records are the same.",
            action="Confirm the override, replace it or clear it.",
        )
    check_task(work, command.task_id, expected)
    plan = _judge(work, rules, actor.name, Domain(domain), RecordId(a), RecordId(b), command, command.task_id)
    if not command.picks:
        return plan
    if command.verdict is not Verdict.SAME:
        raise Invalid("Values are picked for the golden record of a merge; only the verdict 'same' takes them.")
    return with_picks(work, actor, plan, command.picks)


def plan_pair(work: UnitOfWork, rules: Rules, actor: str, command: JudgePair) -> Plan:
    """Judge two records, asked or not."""
    if command.a == command.b:
        raise Invalid("A record is always the same as itself; name two records.")
    placed = store.place_records(work, [command.a, command.b])
    a, b = placed[command.a], placed[command.b]
    if a.domain is not b.domain:
        raise Invalid(f"{a.key} is a {a.domain} and {b.key} a {b.domain}; only records of one domain compare.")
    rows = work.query(
        "select task_id from steward_task where status = 'open' and a = %s and b = %s", *sorted((a.rec_id, b.rec_id))
    )
    task_id = rows[0][0] if rows else None
    return _judge(work, rules, actor, a.domain, a.rec_id, b.rec_id, command, task_id)


def _judge(
    work: UnitOfWork,
    rules: Rules,
    actor: str,
    domain: Domain,
    a: RecordId,
    b: RecordId,
    command: JudgeTask | JudgePair,
    task_id: int | None,
) -> Plan:
    verdict, reason = command.verdict, command.reason
    if command.until is not None and verdict is not Verdict.NOT_SAME:
        raise Invalid("Only a verdict 'not the same' can have an end date.")
    if command.until is not None and command.until <= work.now:
        raise Invalid("The end date lies in the past.")
    low, high = sorted((a, b))
    superseded = [each.judgement_id for each in store.judgements_between(work, (a, b))]
    return Plan(
        kind=verdict.value,
        domain=domain,
        records=frozenset((a, b)),
        reason=reason,
        judgements=(NewJudgement(low, high, verdict, actor, reason, command.until),),
        supersede=tuple(superseded),
        together=((a, b),) if verdict is Verdict.SAME else (),
        apart=((a, b),) if verdict is Verdict.NOT_SAME else (),
        pattern=pattern_of(work, rules, domain, a, b),
        task_id=task_id,
    )


def plan_merge(work: UnitOfWork, actor: str, command: Merge) -> Plan:
    """Join entities by one verdict "same" between each and the next, spoken of their founding records.

    Raises:
        Conflict: earlier verdicts part them, and the command does not say that those end.
    """
    placed = store.place_records(work, command.records)
    entities = tuple(dict.fromkeys((*command.entities, *(placed[key].entity_id for key in command.records))))
    if len(entities) < 2:
        raise Invalid("A merge needs two different entities.", action="Name at least two that are not one already.")
    states = {entity_id: store.live_entity(work, entity_id) for entity_id in entities}
    domains = {domain for domain, _, _ in states.values()}
    if len(domains) > 1:
        raise Invalid(f"Entities of {' and '.join(sorted(domains))} cannot be one.")
    members = store.members(work, entities)
    everyone = {each.rec_id: entity_id for entity_id, those in members.items() for each in those}
    parting = [
        each
        for each in store.judgements_between(work, everyone)
        if each.verdict == Verdict.NOT_SAME and everyone[each.a] != everyone[each.b]
    ]
    if parting and not command.supersede:
        names = {each.rec_id: each.key for those in members.values() for each in those}
        said = "; ".join(
            f"{names[each.a]} and {names[each.b]} ({each.author}{': ' + each.reason if each.reason else ''})"
            for each in parting[:5]
        )
        raise Conflict(
            f"{len(parting)} earlier verdict(s) say that these are not the same: {said}.",
            action="Undo them first, or merge with `supersede`, which ends them.",
        )
    speakers = [_speaker(members[entity_id], states[entity_id][2]) for entity_id in entities]
    pairs = [(min(pair), max(pair)) for pair in pairwise(speakers)]
    ended = {each.judgement_id for each in parting}
    ended |= {each.judgement_id for each in store.judgements_between(work, speakers) if (each.a, each.b) in set(pairs)}
    return Plan(
        kind="merge",
        domain=domains.pop(),
        records=frozenset(speakers),
        reason=command.reason,
        judgements=tuple(NewJudgement(a, b, Verdict.SAME, actor, command.reason) for a, b in pairs),
        supersede=tuple(sorted(ended)),
        together=tuple(combinations(speakers, 2)),
        entities=entities,
    )


def _speaker(members: Sequence[store.Placed], founder: RecordId) -> RecordId:
    """The founding record when it still is a member, else the first by name."""
    return founder if any(each.rec_id == founder for each in members) else members[0].rec_id


def plan_split(work: UnitOfWork, rules: Rules, actor: str, command: Split) -> Plan:
    """Part records from their entity: a verdict "not the same" for every pair across, "same" where a part needs it.

    Raises:
        NotFound: one of the records is not a member.
        Invalid: nobody would leave, or nobody would stay.
    """
    domain, _, founder = store.live_entity(work, command.entity_id)
    members = store.members(work, [command.entity_id])[command.entity_id]
    by_key = {each.key: each.rec_id for each in members}
    for key in command.records:
        if key not in by_key:
            raise NotFound(f"{key} is not a member of {command.entity_id}.")
    if command.until is not None and command.until <= work.now:
        raise Invalid("The end date lies in the past.")
    leaving = {by_key[key] for key in command.records}
    hood = load_neighbourhood(work, domain, (), set(by_key.values()), {})
    if command.tree:
        home = _speaker(members, founder)
        if home in leaving:
            raise Invalid(
                "Everything here hangs on the founding record, so a tree split of that would take all along.",
                action="Split it without the tree, or name a record further out.",
            )
        leaving = set(subtree(hood, set(by_key.values()), home, leaving))
    staying = set(by_key.values()) - leaving
    if not leaving or not staying:
        raise Invalid(
            "A split needs records that leave and records that stay.",
            action="Leave at least one record in the entity; choose the smaller part.",
        )
    if len(leaving) * len(staying) > MAX_PARTED_PAIRS:
        raise Invalid(
            f"Parting {len(leaving)} from {len(staying)} records would take {len(leaving) * len(staying):,} verdicts; "
            f"the limit is {MAX_PARTED_PAIRS:,}.",
            action="Split the entity in several steps.",
        )
    across = {(min(pair), max(pair)) for pair in product(leaving, staying)}
    existing = {(each.a, each.b): each for each in store.judgements_between(work, by_key.values())}
    healing = _heal(hood, rules, across, existing, (leaving, staying))
    spoken = [NewJudgement(a, b, Verdict.NOT_SAME, actor, command.reason, command.until) for a, b in sorted(across)]
    spoken += [NewJudgement(a, b, Verdict.SAME, actor, command.reason) for a, b in healing]
    touched = across | set(healing)
    return Plan(
        kind="split",
        domain=domain,
        records=frozenset(by_key.values()),
        reason=command.reason,
        judgements=tuple(spoken),
        supersede=tuple(sorted(each.judgement_id for pair, each in existing.items() if pair in touched)),
        apart=tuple(sorted(across)),
        together=tuple((min(part), rec) for part in (leaving, staying) for rec in sorted(part - {min(part)})),
        entities=(command.entity_id,),
    )


def _heal(
    hood: Neighbourhood,
    rules: Rules,
    across: Iterable[tuple[RecordId, RecordId]],
    existing: Mapping[tuple[RecordId, RecordId], store.StoredJudgement],
    parts: Sequence[set[RecordId]],
) -> list[tuple[RecordId, RecordId]]:
    """Pairs that must be called the same because a part would fall to pieces without the records that left it."""
    parted = {frozenset(pair) for pair in across}
    then = Neighbourhood(
        domain=hood.domain,
        records=hood.records,
        links=hood.links,
        same=hood.same - parted,
        not_same=hood.not_same | parted,
    )
    pieces = group(then, rules.models[hood.domain]).groups
    healing: list[tuple[RecordId, RecordId]] = []
    for part in parts:
        heads = sorted(RecordId(min(piece & part)) for piece in pieces if piece & part)
        healing += [(min(pair), max(pair)) for pair in pairwise(heads)]
    return [pair for pair in healing if pair not in existing or existing[pair].verdict != Verdict.SAME]


def _who_closed(work: UnitOfWork, task_id: int) -> str:
    rows = work.query(
        """select d.decision_id, d.kind, d.actor, d.at from task_work w join decision d using (decision_id)
           where w.task_id = %s""",
        task_id,
    )
    if not rows:
        return "New events answered it. Go on with the next one."
    decision_id, kind, actor, at = rows[0]
    when = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"{actor} answered {kind.replace('_', ' ')} at {when} (decision {decision_id}); undo that first."
