"""How stewards decided about pairs whose evidence looked the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from matching.scoring import explain_pair
from mdm.core.rules import Rules
from mdm.errors import NotFound
from mdm.hub.steward.workplace import Workplace
from mdm.model.ids import CrosswalkKey, Domain, RecordId
from mdm.store import stewardship as store
from mdm.store.neighbourhood import load_comparisons
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import UnitOfWork

#: Decisions looked at, the newest of the domain; what was decided before them was often decided by other rules.
_LOOKED_AT = 5000


@dataclass(frozen=True, slots=True)
class Similar:
    """A past decision about a pair. `likeness` is 1 when the evidence looked exactly the same.

    `shared` and `differing` are parts of the evidence, such as `name=exact` or `veto=another country`.
    """

    decision: store.StoredDecision
    records: tuple[CrosswalkKey, ...]
    likeness: float
    shared: tuple[str, ...]
    differing: tuple[str, ...]


def pattern_of(work: UnitOfWork, rules: Rules, domain: Domain, a: RecordId, b: RecordId) -> tuple[str, ...]:
    """What the evidence about a pair looks like: the level of each comparison, vetoes, and the two platforms."""
    comparisons = load_comparisons(work, domain, [a, b])
    score = explain_pair(rules.models[domain], comparisons[a], comparisons[b])
    systems = work.query("select system from source_record where rec_id = any(%s) order by system", [a, b])
    parts = {f"{each.comparison}={each.level}" for each in score.contributions if each.bits}
    parts |= {f"veto={veto}" for veto in score.vetoes}
    parts.add("platforms=" + "+".join(row[0] for row in systems))
    return tuple(sorted(parts))


def similar_decisions(hub: Workplace, task_id: int, limit: int = 5) -> Sequence[Similar]:
    """Past decisions about pairs most like a task's, the most alike first.

    Raises:
        NotFound: there is no such task, or one of its records is gone.
    """
    with snapshot(hub.engine) as work:
        rows = work.query(
            """select t.domain, t.a, t.b from steward_task t
               join crosswalk x on x.rec_id = t.a join crosswalk y on y.rec_id = t.b where t.task_id = %s""",
            task_id,
        )
        if not rows:
            raise NotFound(f"There is no task {task_id} about two live records.")
        domain, a, b = Domain(rows[0][0]), RecordId(rows[0][1]), RecordId(rows[0][2])
        return _alike(work, domain, pattern_of(work, hub.rules, domain, a, b), (a, b), limit)


def _alike(
    work: UnitOfWork, domain: Domain, pattern: tuple[str, ...], pair: tuple[RecordId, RecordId], limit: int
) -> Sequence[Similar]:
    rows = work.query(
        f"""with past as (
                select *, array(select unnest(pattern) intersect select unnest(%s::text[])) as shared from (
                    select * from decision where domain = %s and pattern is not null and undone_by is null
                      and not records @> %s::bigint[]
                    order by decision_id desc limit %s) newest)
            select {store.DECISION}, shared, pattern,
                cardinality(shared)::float / (cardinality(pattern) + %s - cardinality(shared)) as likeness
            from past where cardinality(shared) > 0 order by likeness desc, decision_id desc limit %s""",
        list(pattern), domain.value, list(pair), _LOOKED_AT, len(pattern), limit,
    )  # fmt: skip
    keys = store.keys_of(work, {rec for row in rows for rec in row[7]})
    return [
        Similar(
            decision=store.decision_of(row[:15]),
            records=tuple(keys[rec] for rec in row[7] if rec in keys),
            likeness=round(row[17], 3),
            shared=tuple(sorted(row[15])),
            differing=tuple(sorted(set(row[16]) ^ set(pattern))),
        )
        for row in rows
    ]
