"""Nothing reaches an ERP unless the gates let it pass: each new version of a golden record is judged once, and the ERP
view serves the last one that passed.

Judging is pure (`mdm.core.gates`); here versions are read, judged and written down in batches, in the order of the
change feed. Harmless when repeated, also at once.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from mdm.clock import Clock
from mdm.core.gates import NOT_BEFORE, TIME, Gate, Gates, Reason, of_changes, reasons
from mdm.core.sensitive import change_of, changed_attributes
from mdm.hub.gates import shipped_gates
from mdm.hub.onboarding import Aim, verdicts_on_golden
from mdm.hub.projections import projectables, shipped_targets
from mdm.model.delta import Announcement
from mdm.model.ids import Domain, EntityId
from mdm.model.platforms import Platforms
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.onboarding.verdict import Verdict
from mdm.projection.project import project
from mdm.store import erp_view as store
from mdm.store.erp_questions import Raised, note_changes, pins_agreed_to
from mdm.store.erp_view import Before, Judged, Standing
from mdm.store.identity import write_announcements
from mdm.store.read_golden import GoldenRow, current_goldens
from mdm.store.scoped import unrestricted
from mdm.store.unit_of_work import unit_of_work

#: Versions judged in one transaction.
_AT_ONCE = 200
#: What is held back is judged again after so long: an ERP may know by then what it refers to.
_HELD_FOR = timedelta(hours=1)
#: Announcements of one unit of work.
_TOLD_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Gated:
    """How many versions were judged, and how many of them are held back."""

    judged: int
    held: int


def gates_wait(engine: Engine, now: datetime, erp: str, domain: Domain, gates: Gates | None = None) -> bool:
    """Whether a version was not judged yet, or the time has come of one that waits."""
    with unrestricted(engine).connect() as connection:
        return store.waits(connection, erp, domain, _digest(erp, gates or shipped_gates()), now)


def pass_gates(
    engine: Engine,
    platforms: Platforms,
    now: datetime,
    erp: str,
    domains: Sequence[Domain] = tuple(Domain),
    *,
    at_most: int | None = None,
    gates: Gates | None = None,
    go_on: Callable[[], None] = lambda: None,
) -> Gated:
    """Judge what was not judged yet, and what is held back and has a new verdict.

    Args:
        at_most: about so many versions of each domain; the others are left to the next look.
    """
    judged = held = 0
    for domain in domains:
        done = 0
        while at_most is None or done < at_most:
            go_on()
            found = _batch(unrestricted(engine), platforms, now, erp, domain, gates or shipped_gates())
            if not found:
                break
            done += len(found)
            held += sum(bool(each.reasons) for each in found)
        judged += done
    return Gated(judged, held)


def judge_again(
    engine: Engine,
    platforms: Platforms,
    now: datetime,
    erp: str,
    domain: Domain,
    entity_id: EntityId,
    gates: Gates | None = None,
) -> None:
    """Judge one golden record anew, if a version of it is held back: what was missing may be there by now."""
    ruling = gates or shipped_gates()
    with unrestricted(engine).begin() as connection:
        held = [each for each in store.standings(connection, [entity_id], erp) if each.held]
        if held and (turn := store.claim(connection, erp, domain, _digest(erp, ruling), now)) is not None:
            _judge_rows(engine, platforms, connection, now, erp, domain, [entity_id], ruling, turn)


def gated_erps(engine: Engine, named: Sequence[str] = ()) -> list[str]:
    """The ERPs to judge for: those named, and those whose view was read, or judged for by hand, before."""
    with unrestricted(engine).connect() as connection:
        read = store.erps(connection)
    return sorted({*named, *read} & set(shipped_targets()))


def tell_gated(engine: Engine, clock: Clock) -> int:
    """Announce which changes are held back and which are no longer. Returns how many were announced."""
    told = 0
    while True:
        with unit_of_work(unrestricted(engine), clock, "erp gates") as work:
            found = store.untold(work, _TOLD_AT_ONCE)
            write_announcements(work, [_announcement(each) for each in found])
        told += len(found)
        if len(found) < _TOLD_AT_ONCE:
            return told


def _batch(engine: Engine, platforms: Platforms, now: datetime, erp: str, domain: Domain, gates: Gates) -> list[Judged]:
    """Judge the next versions; none when all are judged, or somebody else is at it."""
    digest = _digest(erp, gates)
    with engine.begin() as connection:
        turn = store.claim(connection, erp, domain, digest, now)
        if turn is None:
            return []
        rows = store.to_judge(connection, domain, turn.seq, _AT_ONCE)
        if not rows:
            again = store.to_judge_again(connection, erp, domain, now - _HELD_FOR, now, _AT_ONCE)
            return _judge_rows(engine, platforms, connection, now, erp, domain, again, gates, turn) if again else []
        judged = _judged(engine, platforms, connection, now, erp, domain, rows, gates)
        since = store.write_judged(connection, erp, domain, judged, turn, now)
        store.advance(connection, erp, domain, rows[-1].seq, digest, since)
        return judged


def _judge_rows(
    engine: Engine,
    platforms: Platforms,
    connection: Connection,
    now: datetime,
    erp: str,
    domain: Domain,
    ids: Sequence[EntityId],
    gates: Gates,
    turn: store.Claim,
) -> list[Judged]:
    rows = current_goldens(connection, domain, ids)
    judged = _judged(engine, platforms, connection, now, erp, domain, rows, gates)
    since = store.write_judged(connection, erp, domain, judged, turn, now)
    store.advance(connection, erp, domain, turn.seq, _digest(erp, gates), since)
    return judged


def _judged(
    engine: Engine,
    platforms: Platforms,
    connection: Connection,
    now: datetime,
    erp: str,
    domain: Domain,
    rows: Sequence[GoldenRow],
    gates: Gates,
) -> list[Judged]:
    """A version that is no longer the current one when its verdict is drawn is left out: the newer one is judged."""
    gate = gates.of[domain]
    before = store.served_before(connection, erp, [row.entity_id for row in rows])
    due = {row.entity_id: _due(gate, row, before.get(row.entity_id, Before()), now) for row in rows}
    ripe = [row for row in rows if due[row.entity_id] is None]
    found = _found(engine, platforms, connection, now, erp, ripe, gate, domain)
    ripe = [row for row in ripe if row.entity_id in found]
    changes = _changes(connection, erp, domain, gate, ripe, before)
    without = {row.entity_id for row in ripe} - changes.keys()
    answers = note_changes(connection, erp, list(changes.values()), without)
    judged = []
    for row in rows:
        was = before.get(row.entity_id, Before())
        if due[row.entity_id] is not None:
            # What an older version was held back for is told as long as the newer one is not looked at.
            still = [each for each in was.reasons if each["gate"] != TIME]
            judged.append(Judged(row, [*still, asdict(Reason(TIME, NOT_BEFORE))], due[row.entity_id]))
        elif row.entity_id in found:
            why, answer = found[row.entity_id], answers.get(row.entity_id)
            if answer in ("open", "rejected"):
                why += of_changes(changes[row.entity_id].attributes, rejected=answer == "rejected")
            judged.append(Judged(row, [asdict(each) for each in why], None, _significant(gate, row, was)))
    return judged


def _due(gate: Gate, row: GoldenRow, before: Before, now: datetime) -> datetime | None:
    """Until when this version waits for others, None when no longer: the time begins with the first that waited."""
    if not gate.not_before:
        return None
    due = before.due or row.known_from + gate.not_before
    return due if due > now else None


def _found(
    engine: Engine,
    platforms: Platforms,
    connection: Connection,
    now: datetime,
    erp: str,
    rows: Sequence[GoldenRow],
    gate: Gate,
    domain: Domain,
) -> dict[EntityId, tuple[Reason, ...]]:
    """What projection and verdict say against each version."""
    target = shipped_targets()[erp]
    form = target.forms[domain]
    verdicts: dict[str, Verdict] = {}
    if gate.decisions is not None and rows:
        drawn = verdicts_on_golden(engine, platforms, [row.entity_id for row in rows], now, Aim(erp))
        verdicts = {str(each.entity_id): each for each in drawn}
    subjects, keys = projectables(connection, target, domain, rows)
    found = {}
    for row, subject in zip(rows, subjects, strict=True):
        verdict = verdicts.get(row.entity_id)
        if gate.decisions is None or (verdict is not None and verdict.version == row.version):
            found[row.entity_id] = reasons(gate, project(form, subject, keys), verdict)
    return found


def _changes(
    connection: Connection,
    erp: str,
    domain: Domain,
    gate: Gate,
    rows: Sequence[GoldenRow],
    before: Mapping[EntityId, Before],
) -> dict[EntityId, Raised]:
    """What differs in sensitive attributes from what is served; not what two persons pinned."""
    names, found = gate.sensitive_for(erp), {}
    served = [
        (row, was) for row in rows if (was := before.get(row.entity_id)) and was.version not in (None, row.version)
    ]
    differing = {
        row.entity_id: changed
        for row, was in served
        if (changed := changed_attributes(domain, names, was.values, row.values))
    }
    pinned = _pins(store.lineages(connection, sorted(differing)), differing)
    agreed = pins_agreed_to(connection, {number for each in pinned.values() for number in each.values()})
    for row, was in served:
        asked = [
            name for name in differing.get(row.entity_id, ()) if pinned.get(row.entity_id, {}).get(name) not in agreed
        ]
        change = change_of(row.entity_id, domain, asked, was.values, row.values)
        if change is not None and was.version is not None:
            found[row.entity_id] = Raised(row.entity_id, change.digest, change.attributes, was.version, row.version)
    return found


def _pins(
    lineages: Mapping[EntityId, Mapping[str, Any]], differing: Mapping[EntityId, Sequence[str]]
) -> dict[EntityId, dict[str, int]]:
    """By golden record and attribute the override that the value is."""
    return {
        entity_id: {
            name: lineage[name]["override"]["override_id"]
            for name in differing[entity_id]
            if (lineage.get(name) or {}).get("override")
        }
        for entity_id, lineage in lineages.items()
    }


def _significant(gate: Gate, row: GoldenRow, before: Before) -> bool:
    if gate.significant is None or before.version is None:
        return True
    return bool(changed_attributes(row.domain, gate.significant, before.values, row.values))


def _digest(erp: str, gates: Gates) -> str:
    rules = shipped_ruleset().aimed_at(erp)
    return hashlib.sha256(f"{gates.digest}\0{rules.digest}\0{shipped_targets()[erp].release}".encode()).hexdigest()


def _announcement(standing: Standing) -> Announcement:
    return Announcement(
        standing.domain,
        standing.entity_id,
        f"{standing.domain.value}.erp_changed",
        {
            "entity_id": standing.entity_id,
            "domain": standing.domain.value,
            "erp": standing.erp,
            "served": standing.version,
            "version": standing.judged,
            "held": standing.held,
            "reasons": list(standing.reasons),
        },
    )
