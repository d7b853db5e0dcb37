"""Nothing reaches an ERP unless the gates let it pass: each new version of a golden record is judged once, and the ERP
view serves the last one that passed.

Judging is pure (`mdm.core.gates`); here versions are read, judged and written down in batches, in the order of the
change feed. Harmless when repeated, also at once.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from mdm.clock import Clock
from mdm.core.gates import Gates, reasons
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
from mdm.store.erp_view import Judged, Standing
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


def gates_wait(engine: Engine, erp: str, domain: Domain, gates: Gates | None = None) -> bool:
    """Whether a version was not judged yet."""
    with unrestricted(engine).connect() as connection:
        return store.waits(connection, erp, domain, _digest(erp, gates or shipped_gates()))


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
    engine: Engine, platforms: Platforms, now: datetime, erp: str, domain: Domain, entity_id: EntityId
) -> None:
    """Judge one golden record anew, if a version of it is held back: what was missing may be there by now."""
    with unrestricted(engine).begin() as connection:
        held = [each for each in store.standings(connection, [entity_id], erp) if each.held]
        if held and (turn := store.claim(connection, erp, domain, _digest(erp, shipped_gates()), now)) is not None:
            _judge_rows(engine, platforms, connection, now, erp, domain, [entity_id], shipped_gates(), turn)


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
            again = store.to_judge_again(connection, erp, domain, now - _HELD_FOR, _AT_ONCE)
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
    target, gate = shipped_targets()[erp], gates.of[domain]
    form = target.forms[domain]
    verdicts: dict[str, Verdict] = {}
    if gate.decisions is not None:
        found = verdicts_on_golden(engine, platforms, [row.entity_id for row in rows], now, Aim(erp))
        verdicts = {str(each.entity_id): each for each in found}
    subjects, keys = projectables(connection, target, domain, rows)
    judged = []
    for row, subject in zip(rows, subjects, strict=True):
        verdict = verdicts.get(row.entity_id)
        if gate.decisions is not None and (verdict is None or verdict.version != row.version):
            continue
        why = reasons(gate, project(form, subject, keys), verdict)
        judged.append(Judged(row, [asdict(each) for each in why]))
    return judged


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
