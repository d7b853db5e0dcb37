"""Simulating a release on live data: the engine that would carry it out decides, and nothing is written.

A survivorship release is tried on a consistent view of the hub, a matching release on a copy of its present that is
dropped in the end (`mdm.hub.rematch.preview`), once it is proven that it is scored as Splink scores it
(`mdm.hub.releases.proving`). Nobody waits for either, and both can be stopped.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from matching.engines.engine import Engine as MatchEngine
from matching.proof import check_holds
from mdm.core.identity import settle
from mdm.core.releases import check_step, check_writer
from mdm.core.rules import Rules
from mdm.engines import open_engine
from mdm.errors import Conflict, MdmError
from mdm.hub.in_force import in_force, in_force_now, must_still_fit, part, read, standing_in
from mdm.hub.process import Pipeline
from mdm.hub.reach import must_reach_all
from mdm.hub.releases.effects import RuleEffects
from mdm.hub.releases.proving import Prover, need_prover, prove_release, splink
from mdm.hub.releases.testing import against_verdicts
from mdm.hub.rematch import preview
from mdm.hub.rematch.report import Report
from mdm.hub.steward.actor import Actor
from mdm.hub.usage_revenue import compare_mappings
from mdm.model.delta import IdentityDelta, LinkChange
from mdm.model.ids import Domain, RecordId
from mdm.model.releases import RuleKind, Run, RunKind
from mdm.store import neighbourhood
from mdm.store import releases as store
from mdm.store.at_work import RELEASES, only_one_at
from mdm.store.ledger import write_audit
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

#: Entities taken together: what an interruption of an activation costs, and how long ingest waits for it.
UNIT = 1_000

#: Hears what is being done and the share done, from 0 to 1.
Progress = Callable[[str, float], None]


def silent(_step: str, _share: float) -> None:
    """Tells nobody."""


class _Stopped(Exception):
    """Somebody stopped the simulation; what it had found is not worth keeping."""


def begin_simulation(hub: Pipeline, actor: Actor, release_id: int) -> int:
    """Note that a release is simulated; `run_simulation` does it. Returns the number of the run.

    Raises:
        Refused: the actor does not decide about rules.
        Conflict: the release is in force, or has ended.
        Invalid: it goes against the mappings of now.
        ParityUnproven: it is a matching release, and Splink is not installed.
    """
    check_writer(actor.role, "simulate")
    must_reach_all(hub.engine, "Rules")
    with unit_of_work(hub.engine, hub.clock, "release") as work:
        release = store.find(work.query, release_id, lock=True)
        check_step(release, "simulate")
        must_still_fit(work.query, hub.rules, release)
        if release.kind is RuleKind.MATCHING:
            need_prover()
        against = part(in_force(work.query, hub.rules), release.kind, release.domain).fingerprint
        return store.begin_run(work, release, RunKind.SIMULATION, against, actor.name, None)


def run_simulation(
    hub: Pipeline,
    run_id: int,
    progress: Progress = silent,
    engine: MatchEngine | None = None,
    prover: Prover = splink,
) -> Run:
    """Carry out a simulation that was begun. One that was interrupted is simulated again from the beginning.

    Args:
        prover: scores pairs by a matching release both ways.

    Raises:
        Conflict: somebody else is at work on the release.
        ParityUnproven: a matching release is not scored as Splink scores it; the run has failed and says by how much.
    """
    with hub.engine.connect() as connection:
        run = store.find_run(store.asking(connection), run_id)
        release = store.find(store.asking(connection), run.release_id)
        document = store.texts(store.asking(connection), run.release_id)
    if run.status == "done":
        return run
    tell = _teller(hub, run_id, progress)
    proven: dict[str, Any] = {}
    with only_one_at(hub.engine, RELEASES, release.release_id, "release"):
        try:
            now = in_force_now(hub.engine, hub.rules)
            rules = standing_in(now, read(release.kind, release.domain, *document))
            if release.kind is RuleKind.SURVIVORSHIP:
                report = _try_survivorship(hub, rules, release.domain, tell)
            elif release.kind is RuleKind.USAGE_REVENUE:
                report = compare_mappings(hub, now.usage_revenue, rules.usage_revenue)
            else:
                tell("scoring pairs with Splink too", 0, 1)
                proof = prove_release(hub.engine, now.models[release.domain], rules.models[release.domain], prover)
                proven["parity"] = proof.document()
                check_holds(proof)
                report = try_matching(hub, rules, tell, engine)
                judged = against_verdicts(hub.engine, now, rules, release.domain)
                report["verdicts"] = judged.counts
                report["contradicted"] = [list(each) for each in judged.contradicted]
                report["verdicts_contradicted"] = len(judged.contradicted)
        except _Stopped:
            with hub.engine.connect() as connection:
                return store.find_run(store.asking(connection), run_id)
        except Exception as error:
            said = f"{error.message} {error.advice}".strip() if isinstance(error, MdmError) else str(error)
            _end(hub, run_id, "failed", proven, said)
            raise
        return _end(hub, run_id, "done", {**report, **proven})


def stop_simulation(hub: Pipeline, actor: Actor, release_id: int) -> None:
    """End a simulation that is under way, at its next step; it has changed nothing.

    Raises:
        Refused: the actor does not decide about rules.
        Conflict: none is under way.
    """
    check_writer(actor.role, "stop simulations of")
    must_reach_all(hub.engine, "Rules")
    with unit_of_work(hub.engine, hub.clock, "release") as work:
        stopped = store.stop_simulations(work, release_id, f"stopped by {actor.name}")
        if not stopped:
            raise Conflict(f"No simulation of release {release_id} is under way.", action="Look at the release again.")
        write_audit(work, actor.name, "release.stop_simulation", f"release {release_id}", {"runs": stopped})


def simulate(
    hub: Pipeline,
    actor: Actor,
    release_id: int,
    progress: Progress = silent,
    engine: MatchEngine | None = None,
    prover: Prover = splink,
) -> Run:
    """What a release would change in the hub as it is now. Nothing but the report is written.

    Raises: as `begin_simulation` and `run_simulation`.
    """
    return run_simulation(hub, begin_simulation(hub, actor, release_id), progress, engine, prover)


def settle_with(work: UnitOfWork, rules: Rules, domain: Domain, records: list[RecordId]) -> IdentityDelta:
    """What all entities of these records must be by these rules: decided, not written."""
    hood = neighbourhood.load_neighbourhood(work, domain, records, records, {})
    return settle(hood, rules, work.now, LinkChange(), "release")


def _try_survivorship(
    hub: Pipeline, rules: Rules, domain: Domain, tell: Callable[[str, int, int], None]
) -> dict[str, Any]:
    effects = RuleEffects()
    with snapshot(hub.engine) as work:
        total, position = store.active_entities(work.query, domain), ""
        tell(f"trying golden {domain.plural}", 0, total)
        while True:
            records, position, number = store.entities_after(work.query, domain, position, UNIT)
            if not number:
                break
            effects.add(number, settle_with(work, rules, domain, records), rules.platforms.erps)
            tell(f"trying golden {domain.plural}", effects.entities, total)
    return effects.as_json()


def try_matching(
    hub: Pipeline, rules: Rules, tell: Callable[[str, int, int], None], engine: MatchEngine | None
) -> dict[str, Any]:
    """What matching everything anew by these rules would change."""
    tell("matching everything anew", 0, 1)
    found = preview(replace(hub, rules=rules), engine or open_engine("duckdb"), lambda step: tell(step, 0, 1))
    return matching_report(found)


def matching_report(report: Report) -> dict[str, Any]:
    """Counts over all domains, and by domain with samples; names are left out."""
    told = report.as_json()
    domains: dict[str, dict[str, Any]] = told["domains"]
    for effects in domains.values():
        effects.pop("examples")
    counts = (
        "golden_changed", "lineage_renewed", "merged", "split", "founded", "retired", "links_added", "links_removed",
        "tasks_opened", "tasks_closed",
    )  # fmt: skip
    totals = {name: sum(effects[name] for effects in domains.values()) for name in counts}
    return {"entities": sum(each["records"] for each in domains.values()), **totals, "domains": domains}


def _teller(hub: Pipeline, run_id: int, progress: Progress) -> Callable[[str, int, int], None]:
    def tell(step: str, done: int, total: int) -> None:
        if not store.tell(hub.engine, run_id, step, done, total):
            raise _Stopped
        progress(step, done / total if total else 0.0)

    return tell


def _end(hub: Pipeline, run_id: int, status: str, report: dict[str, Any], error: str = "") -> Run:
    with unit_of_work(hub.engine, hub.clock, "release") as work:
        work.execute("update release_run set report = %s where run_id = %s", orjson.dumps(report).decode(), run_id)
        store.end_run(work, run_id, status, None, error)
        run = store.find_run(work.query, run_id)
        counts = {name: value for name, value in report.items() if isinstance(value, int)}
        detail: dict[str, object] = {"run": run_id, "status": status, "rules": run.fingerprint, **counts}
        if "parity" in report:
            detail["parity"] = report["parity"]
        write_audit(work, run.actor, "release.simulate", f"release {run.release_id}", detail)
        return run
