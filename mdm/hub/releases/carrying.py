"""Putting a release into force and taking it back: first the rules change for everybody, then the hub follows.

From the first unit of work on, whatever is decided is decided by the new rules. What was decided before is brought in
line unit by unit, each complete, audited and announced, with the place where to go on written beside its effect. A run
that was killed is finished by asking for the same again.
"""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from matching.engines.engine import Engine as MatchEngine
from matching.proof import Proof, check_holds
from mdm.core.releases import (
    Contradiction,
    check_accepted,
    check_releaser,
    check_simulation,
    check_step,
    check_undoer,
    check_verdicts,
)
from mdm.core.rules import Rules
from mdm.engines import open_engine
from mdm.errors import Conflict, Invalid, Stale
from mdm.faults import fault_point
from mdm.hub.digest import state_digest
from mdm.hub.in_force import in_force, in_force_now, must_still_fit, part, read, standing_in
from mdm.hub.process import Pipeline
from mdm.hub.reach import must_reach_all
from mdm.hub.releases.effects import RuleEffects
from mdm.hub.releases.proving import Prover, must_be_as_drafted, prove_release, relied_on, splink
from mdm.hub.releases.testing import against_verdicts
from mdm.hub.releases.trying import UNIT, Progress, matching_report, settle_with, silent
from mdm.hub.rematch import rematch
from mdm.hub.steward.actor import Actor
from mdm.hub.usage_revenue import compare_mappings
from mdm.lifecycle.usage_revenue import UsageRevenue
from mdm.model.ids import Domain
from mdm.model.releases import Release, ReleaseStatus, RuleKind, Run, RunKind
from mdm.store import identity as identity_store
from mdm.store import released
from mdm.store import releases as store
from mdm.store.at_work import RELEASES, only_one_at
from mdm.store.ledger import write_audit
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

_S = ReleaseStatus


@dataclass(frozen=True, slots=True)
class Carried:
    """A release that came into force, or was taken back.

    `same_state` says of a rollback whether the hub is in the state in which the release found it; None where it cannot
    be, for other units of work have changed the hub since.
    """

    release: Release
    run: Run
    same_state: bool | None = None


def begin_activation(hub: Pipeline, actor: Actor, release_id: int, prover: Prover = splink) -> int:
    """Put a release into force, or go on with one that was interrupted; `run` brings the hub in line.

    Args:
        prover: scores pairs by a matching release both ways, where the proof of its simulation is about something else
            than what is to decide now: other documents, or another version of the scorer.

    Raises:
        Refused: the actor wrote or approved it, or puts nothing into force.
        Conflict: it is not approved, or another release is under way.
        Invalid: it goes against the mappings of now.
        Stale: what was approved is not what it would do now.
        ParityUnproven: its matching model is not scored as Splink scores it.
    """
    must_reach_all(hub.engine, "Rules")
    proof = _proven(hub, release_id, prover)
    digest, contradicted = state_digest(hub.engine).state, _contradicted(hub, release_id)
    with unit_of_work(hub.engine, hub.clock, "release") as work:
        release = store.find(work.query, release_id, lock=True)
        check_releaser(release, actor.name, actor.role)
        check_step(release, "activate")
        if release.status is _S.ACTIVATING:
            return _unfinished(work, release, RunKind.ACTIVATION)
        _only_one(work)
        must_still_fit(work.query, hub.rules, release)
        if release.kind is RuleKind.MATCHING and (proof is None or proof.fingerprint != release.fingerprint):
            raise Stale("The release has changed meanwhile.", action="Look at it again and ask for the same again.")
        before = store.in_force(work.query).get((release.kind, release.domain))
        against = part(in_force(work.query, hub.rules), release.kind, release.domain).fingerprint
        assert release.simulation_id is not None  # the table says so
        simulation = check_simulation(release, store.find_run(work.query, release.simulation_id), against)
        check_verdicts(simulation, release.despite)
        check_accepted(simulation, contradicted)
        store.update(
            work, release_id, status=_S.ACTIVATING.value, releaser=actor.name, released_at=work.now,
            replaced=before[0] if before else None,
        )  # fmt: skip
        proven: dict[str, object] = {} if proof is None else {"parity": proof.document()}
        run_id = store.begin_run(work, release, RunKind.ACTIVATION, against, actor.name, digest, proven)
        store.put_in_force(work, release)
        _remember(work, release)
        detail: dict[str, object] = {
            "rules": release.fingerprint, "instead_of": against, "approved_by": release.approver, "state": digest,
            **proven,
        }  # fmt: skip
        write_audit(work, actor.name, "release.activate", f"release {release_id}", detail)
    return run_id


def _proven(hub: Pipeline, release_id: int, prover: Prover) -> Proof | None:
    """The proof of a matching release that is to come into force: of its simulation, or made now."""
    with hub.engine.connect() as connection:
        query = store.asking(connection)
        release = store.find(query, release_id)
        if release.kind is not RuleKind.MATCHING or release.status is not _S.APPROVED:
            return None
        assert release.simulation_id is not None  # the table says so
        proof = relied_on(release, store.find_run(query, release.simulation_id))
        model = must_be_as_drafted(query, release)
        held = in_force(query, hub.rules).models[release.domain]
    if proof is None:
        proof = prove_release(hub.engine, held, model, prover)
    check_holds(proof)
    return proof


def _contradicted(hub: Pipeline, release_id: int) -> tuple[Contradiction, ...]:
    """The verdicts of now that speak against a release which is to come into force."""
    with hub.engine.connect() as connection:
        release = store.find(store.asking(connection), release_id)
        document = store.texts(store.asking(connection), release_id)
    if release.kind is not RuleKind.MATCHING or release.status is not _S.APPROVED:
        return ()
    now = in_force_now(hub.engine, hub.rules)
    then = standing_in(now, read(release.kind, release.domain, *document))
    return against_verdicts(hub.engine, now, then, release.domain).contradicted


def begin_rollback(hub: Pipeline, actor: Actor, release_id: int, reason: str) -> int:
    """Take a release out of force, or go on with that; `run` brings the hub in line with what was in force before.

    Raises:
        Refused: the actor puts nothing into force.
        Conflict: it is not in force, or another release is under way.
        Invalid: there is no reason, or what was in force before goes against the mappings of now.
    """
    must_reach_all(hub.engine, "Rules")
    digest = state_digest(hub.engine).state
    with unit_of_work(hub.engine, hub.clock, "release") as work:
        release = store.find(work.query, release_id, lock=True)
        check_undoer(actor.role)
        check_step(release, "roll back")
        if release.status is _S.ROLLING_BACK:
            return _unfinished(work, release, RunKind.ROLLBACK)
        if not reason.strip():
            raise Invalid("A rollback needs a reason.", action="Say in a sentence what went wrong.")
        if release.status is not _S.ACTIVATING:
            _only_one(work)
        store.update(
            work, release_id, status=_S.ROLLING_BACK.value, ended_by=actor.name, ended_at=work.now, reason=reason
        )
        work.execute(
            """update release_run set status = 'failed', error = 'taken back before it had ended', finished_at = %s
               where release_id = %s and status = 'running'""",
            work.now, release_id,
        )  # fmt: skip
        run_id = store.begin_run(work, release, RunKind.ROLLBACK, release.fingerprint, actor.name, digest)
        if release.replaced is None:
            store.take_out_of_force(work, release.kind, release.domain)
        else:
            former = store.find(work.query, release.replaced)
            must_still_fit(work.query, hub.rules, former, back=True)
            store.put_in_force(work, former)
        detail: dict[str, object] = {"rules": release.fingerprint, "reason": reason, "state": digest}
        write_audit(work, actor.name, "release.roll_back", f"release {release_id}", detail)
    return run_id


def run(hub: Pipeline, run_id: int, progress: Progress = silent, engine: MatchEngine | None = None) -> Carried:
    """Bring the hub in line with what an activation or a rollback has put into force. Safe to kill and to repeat.

    Raises:
        Conflict: somebody else is at work on the release.
        TransientError: the surroundings failed; what was done is done, ask again.
    """
    with hub.engine.connect() as connection:
        begun = store.find_run(store.asking(connection), run_id)
        release = store.find(store.asking(connection), begun.release_id)
    if begun.status == "done":
        return _carried(hub, release, begun)
    with only_one_at(hub.engine, RELEASES, release.release_id, "release"):
        rules = in_force_now(hub.engine, hub.rules)
        if release.kind is RuleKind.SURVIVORSHIP:
            _survive_anew(hub, rules, release, begun, progress)
        elif release.kind is RuleKind.USAGE_REVENUE:
            _map_anew(hub, release, begun)
        else:
            _match_anew(hub, rules, begun, progress, engine)
        fault_point("release.in_line")
        ended = _finish(hub, release, begun)
    return _carried(hub, *ended)


def activate(
    hub: Pipeline,
    actor: Actor,
    release_id: int,
    progress: Progress = silent,
    engine: MatchEngine | None = None,
    prover: Prover = splink,
) -> Carried:
    """Put a release into force and bring the hub in line with it. Raises as `begin_activation` and `run`."""
    return run(hub, begin_activation(hub, actor, release_id, prover), progress, engine)


def roll_back(
    hub: Pipeline,
    actor: Actor,
    release_id: int,
    reason: str,
    progress: Progress = silent,
    engine: MatchEngine | None = None,
) -> Carried:
    """Take a release back and bring the hub in line with what was before. Raises as `begin_rollback` and `run`."""
    return run(hub, begin_rollback(hub, actor, release_id, reason), progress, engine)


def _survive_anew(hub: Pipeline, rules: Rules, release: Release, begun: Run, progress: Progress) -> None:
    effects, position = RuleEffects.from_json(begun.report), begun.position
    with hub.engine.connect() as connection:
        total = store.active_entities(store.asking(connection), release.domain)
    step = f"bringing golden {release.domain.plural} in line"
    store.tell(hub.engine, begun.run_id, step, effects.entities, total)
    number = UNIT
    while number:
        with unit_of_work(hub.engine, hub.clock, "release") as work:
            records, position, number = store.entities_after(work.query, release.domain, position, UNIT)
            if not number:
                break
            delta = settle_with(work, rules, release.domain, records)
            identity_store.write_identity(work, delta)
            effects.add(number, delta, rules.platforms.erps)
            store.advance(work, begun.run_id, position, effects.entities, effects.as_json())
            if delta.golden or delta.renewed:
                detail: dict[str, object] = {
                    "run": begun.run_id, "golden": len(delta.golden), "lineage": len(delta.renewed), "up_to": position,
                }  # fmt: skip
                write_audit(work, begun.actor, f"release.{begun.what}", f"release {release.release_id}", detail)
            fault_point("release.unit")
        progress(step, effects.entities / total if total else 1.0)


def _match_anew(hub: Pipeline, rules: Rules, begun: Run, progress: Progress, engine: MatchEngine | None) -> None:
    def tell(step: str) -> None:
        store.tell(hub.engine, begun.run_id, step, 0, 1)
        progress(step, 0.0)

    tell("matching everything anew")
    report = rematch(replace(hub, rules=rules), engine or open_engine("duckdb"), begun.actor, tell)
    proven = {"parity": begun.report["parity"]} if "parity" in begun.report else {}
    with unit_of_work(hub.engine, hub.clock, "release") as work:
        store.advance(work, begun.run_id, "", 1, {**matching_report(report), **proven})


def _map_anew(hub: Pipeline, release: Release, begun: Run) -> None:
    """Nothing that a mapping says is kept: whoever asks is answered by the one in force. The run says what changed."""
    with hub.engine.connect() as connection:
        named, former = _mapping(hub, connection, release.release_id), _mapping(hub, connection, release.replaced)
    before, after = (former, named) if begun.what is RunKind.ACTIVATION else (named, former)
    report = compare_mappings(hub, before, after)
    with unit_of_work(hub.engine, hub.clock, "release") as work:
        store.advance(work, begun.run_id, "", 1, report)


def _mapping(hub: Pipeline, connection: Connection, release_id: int | None) -> UsageRevenue:
    """The mapping of a release; the one that ships for None."""
    if release_id is None:
        return (hub.rules.base or hub.rules).usage_revenue
    found = read(RuleKind.USAGE_REVENUE, Domain.PRODUCT, *store.texts(store.asking(connection), release_id))
    assert isinstance(found, UsageRevenue)  # its kind says so
    return found


def _finish(hub: Pipeline, release: Release, begun: Run) -> tuple[Release, Run]:
    digest = state_digest(hub.engine).state
    with unit_of_work(hub.engine, hub.clock, "release") as work:
        if begun.what is RunKind.ACTIVATION:
            store.update(work, release.release_id, status=_S.ACTIVE.value)
            if release.replaced is not None:
                store.update(work, release.replaced, status=_S.SUPERSEDED.value)
        else:
            store.update(work, release.release_id, status=_S.ROLLED_BACK.value)
            if release.replaced is not None:
                store.update(work, release.replaced, status=_S.ACTIVE.value)
        store.end_run(work, begun.run_id, "done", digest)
        ended = store.find_run(work.query, begun.run_id)
        counts = {name: value for name, value in ended.report.items() if isinstance(value, int)}
        detail: dict[str, object] = {"run": begun.run_id, "state": digest, **counts}
        action = "release.active" if begun.what is RunKind.ACTIVATION else "release.rolled_back"
        write_audit(work, begun.actor, action, f"release {release.release_id}", detail)
        return store.find(work.query, release.release_id), ended


def _carried(hub: Pipeline, release: Release, ended: Run) -> Carried:
    if ended.what is not RunKind.ROLLBACK:
        return Carried(release, ended)
    with hub.engine.connect() as connection:
        return Carried(release, ended, same_state(store.asking(connection), ended))


def same_state(query: store.Query, rollback: Run) -> bool | None:
    """Whether a rollback has led back to the state that the release had found; None where other work came between."""
    activation = next(iter(store.runs(query, rollback.release_id, RunKind.ACTIVATION, 1)), None)
    if activation is None or rollback.status != "done":
        return None
    if activation.digest_before == rollback.digest_after:
        return True
    return None if store.units_since(query, activation.batch_id) else False


def _unfinished(work: UnitOfWork, release: Release, what: RunKind) -> int:
    found = store.runs(work.query, release.release_id, what, 1)
    return found[0].run_id


def _only_one(work: UnitOfWork) -> None:
    rows = work.query("select release_id, status from rule_release where status in ('activating', 'rolling_back')")
    if rows:
        raise Conflict(
            f"Release {rows[0][0]} is under way ({rows[0][1].replace('_', ' ')}).",
            action="Wait until it has ended; if nobody is at work on it, ask for the same again to finish it.",
        )


def _remember(work: UnitOfWork, release: Release) -> None:
    """A rule set that decides here can be asked for ever, also by its fingerprint alone."""
    if release.kind is RuleKind.SURVIVORSHIP:
        released.remember_in(work, release.domain, release.version, release.fingerprint, release.document)
