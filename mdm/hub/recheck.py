"""Verdicts are pushed: whoever relies on one hears when it changes, because the record changed or evidence expired.

The last verdict on each golden customer is kept per target. A run looks only at customers whose golden version, rule
set or evidence is not what the last verdict saw, and announces those whose decision or findings are others now.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from mdm.clock import Clock
from mdm.hub.onboarding import Aim, verdicts_on_golden
from mdm.model.delta import Announcement
from mdm.model.ids import Domain, EntityId
from mdm.model.platforms import Platforms
from mdm.onboarding.ruleset import RuleSet, shipped_ruleset
from mdm.onboarding.verdict import Outcome, Verdict, canonical_bytes
from mdm.store.identity import write_announcements
from mdm.store.unit_of_work import UnitOfWork, unit_of_work
from mdm.store.waiting import is_over

#: Customers judged between two commits; an interrupted run goes on behind the last one.
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Rechecked:
    """How many verdicts were made anew, and how many of them are others than before."""

    judged: int
    changed: int


def recheck(
    engine: Engine,
    clock: Clock,
    platforms: Platforms,
    erp: str | None = None,
    rules: RuleSet | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Rechecked:
    """Judge anew all golden customers whose last verdict may not hold any more; announce what changed.

    Safe to interrupt and to repeat: a verdict that was just made is not made again.
    """
    chosen = rules or shipped_ruleset()
    aimed = chosen if erp is None else chosen.aimed_at(erp)
    with engine.connect() as connection:
        due = _due(connection, aimed, clock())
    judged = changed = 0
    for start in range(0, len(due), _AT_ONCE):
        some = due[start : start + _AT_ONCE]
        now = clock()
        verdicts = verdicts_on_golden(engine, platforms, some, now, Aim(aimed.target.erp), aimed)
        with unit_of_work(engine, clock, "onboarding") as work:
            changed += _keep(work, verdicts)
        judged += len(some)
        progress(judged, len(due))
    return Rechecked(judged, changed)


def _due(connection: Connection, rules: RuleSet, now: datetime) -> Sequence[EntityId]:
    """Customers without a verdict, or whose verdict saw another version, other rules, or evidence that expired since.

    Confirmations, waivers, returns, answers, proposals and questions about identity that are newer than the verdict
    count as well. New reference lists make all due.
    """
    rows = connection.execute(
        text(
            f"""select g.entity_id from golden g
               left join verdict v on v.entity_id = g.entity_id and v.erp = :erp
               where g.domain = 'customer' and g.known_to is null and (
                   v.entity_id is null or v.version <> g.version or v.ruleset <> :ruleset or v.valid_until <= :now
                   or exists (select 1 from reference_list l where l.loaded_at > v.evaluated_at)
                   or exists (select 1 from checkpoint c where c.entity_id = g.entity_id
                              and greatest(c.at, c.superseded_at) > v.evaluated_at)
                   or exists (select 1 from waiver w where w.entity_id = g.entity_id
                              and greatest(w.at, w.approved_at, w.superseded_at) > v.evaluated_at)
                   or exists (select 1 from onboarding_return r where r.entity_id = g.entity_id
                              and greatest(r.at, r.ended_at) > v.evaluated_at)
                   or exists (select 1 from proposal p where p.entities @> array[g.entity_id]
                              and (greatest(p.proposed_at, p.decided_at) > v.evaluated_at
                                   or {is_over(of="p.")} and p.expires_at > v.evaluated_at))
                   or exists (select 1 from crosswalk x join steward_task t on x.rec_id in (t.a, t.b)
                              where x.entity_id = g.entity_id and greatest(t.opened_at, t.closed_at) > v.evaluated_at)
                   or exists (select 1 from jsonb_array_elements(g.values->'identifiers') i
                              join attestation a on a.key = i->>'normal' where a.checked_at > v.evaluated_at))
               order by g.entity_id"""
        ),
        {"erp": rules.target.erp, "ruleset": rules.digest, "now": now},
    )
    return [EntityId(row[0]) for row in rows]


def _keep(work: UnitOfWork, verdicts: Sequence[Verdict]) -> int:
    """Store the verdicts and announce those that differ from what was stored. Returns how many differ."""
    erp = verdicts[0].erp if verdicts else ""
    ids = [str(each.entity_id) for each in verdicts]
    before = {
        row[0]: (row[1], frozenset(row[2]))
        for row in work.query(
            "select entity_id, decision, codes from verdict where erp = %s and entity_id = any(%s)", erp, ids
        )
    }
    told = [
        each for each in verdicts if before.get(str(each.entity_id)) != (each.decision.value, frozenset(_codes(each)))
    ]
    work.stage(
        "stage_verdict",
        "entity_id text, erp text, version bigint, decision text, completeness double precision, codes text[], "
        "digest bytea, ruleset text, valid_until timestamptz",
        (
            (each.entity_id, each.erp, each.version, each.decision.value, float(each.completeness), _codes(each),
             hashlib.sha256(canonical_bytes(each)).digest(), each.ruleset_hash, each.valid_until)
            for each in verdicts
        ),
    )  # fmt: skip
    work.execute(
        """insert into verdict (entity_id, erp, version, decision, completeness, codes, digest, ruleset, evaluated_at,
               valid_until)
           select entity_id, erp, version, decision, completeness, codes, digest, ruleset, %s, valid_until
           from stage_verdict
           on conflict (entity_id, erp) do update set version = excluded.version, decision = excluded.decision,
               completeness = excluded.completeness, codes = excluded.codes, digest = excluded.digest,
               ruleset = excluded.ruleset, evaluated_at = excluded.evaluated_at, valid_until = excluded.valid_until""",
        work.now,
    )
    write_announcements(work, [_announcement(each, before.get(str(each.entity_id), (None,))[0]) for each in told])
    return len(told)


def _codes(verdict: Verdict) -> list[str]:
    wanted = (Outcome.FAIL, Outcome.UNVERIFIABLE)
    return sorted({each.code for each in verdict.findings if each.outcome in wanted})


def _announcement(verdict: Verdict, before: str | None) -> Announcement:
    assert verdict.entity_id is not None
    return Announcement(
        Domain.CUSTOMER,
        verdict.entity_id,
        "customer.readiness_changed",
        {
            "entity_id": verdict.entity_id,
            "domain": Domain.CUSTOMER.value,
            "version": verdict.version,
            "erp": verdict.erp,
            "decision": verdict.decision.value,
            "before": before,
            "codes": _codes(verdict),
            "valid_until": None if verdict.valid_until is None else verdict.valid_until.isoformat(),
        },
    )
