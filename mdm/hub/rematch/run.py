"""Bringing the hub in line with the engine, unit of work by unit of work; or trying it on a copy."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from matching.engines.engine import Engine
from matching.engines.links import Progress
from mdm.core.identity import settle
from mdm.core.linking import change_links
from mdm.errors import OperatorError
from mdm.hub.oversized import ask_about_all
from mdm.hub.placing import place
from mdm.hub.process import Pipeline
from mdm.hub.rematch.plan import Plan, Reading, plan_domain, read_records
from mdm.hub.rematch.report import Effects, Report
from mdm.hub.resolve import stored_blocks
from mdm.hub.trial import on_a_copy
from mdm.model.delta import IdentityDelta
from mdm.model.ids import RESOLUTION_ORDER, Domain, RecordId
from mdm.store import identity as identity_store
from mdm.store import ledger, neighbourhood, pairs, reach, whole
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

#: Records settled in one unit of work; what an interruption costs, and how long ingest waits.
UNIT = 2_000
#: Passes until nothing differs. Changes that arrive meanwhile are resolved by ingest with the same model; a pass more
#: takes care of those that crossed a unit of work.
_PASSES = 4
#: Causes of the units of work of a run.
_SETTLING, _KEYS = "rematch", "rematch keys"

_Open = Callable[[str], AbstractContextManager[UnitOfWork]]
_Look = Callable[[], AbstractContextManager[UnitOfWork]]


def in_bulk(pipeline: Pipeline) -> Pipeline:
    """The pipeline that takes rows in without resolving them, for the first load of a hub.

    Raises:
        OperatorError: the hub has golden records already, which would fall behind their rows.
    """
    with snapshot(pipeline.engine) as work:
        if work.query("select 1 from crosswalk limit 1"):
            raise OperatorError(
                "The hub has golden records already; they would fall behind what is taken in.",
                action="Leave out --bulk. It is for the first load of an empty hub.",
            )
    return replace(pipeline, bulk=True)


def preview(pipeline: Pipeline, engine: Engine, progress: Progress = lambda _: None) -> Report:
    """What `rematch` would do, by doing it on a copy of the hub as it is now, which is dropped in the end.

    Nobody waits for it. Whatever `progress` raises ends it. The copy takes as much room as the present of the hub.

    Raises:
        Conflict: another trial is under way.
    """
    with on_a_copy(pipeline, "trial", progress) as inside:
        return _run(inside, engine, "preview", progress)


def rematch(pipeline: Pipeline, engine: Engine, actor: str, progress: Progress = lambda _: None) -> Report:
    """Bring blocking keys, links, entities and golden records in line with the released model.

    Every unit of work is complete and audited by itself. A run that was interrupted is resumed by running it again:
    what is in line already is not touched.
    """
    return _run(pipeline, engine, actor, progress)


def _run(pipeline: Pipeline, engine: Engine, actor: str, progress: Progress) -> Report:
    # Without a name: whatever ends the process, the system gives its room back.
    with TemporaryFile(prefix="mdm-rematch-") as file:
        return _run_in(cast("BinaryIO", file), pipeline, engine, actor, progress)


def _run_in(file: BinaryIO, pipeline: Pipeline, engine: Engine, actor: str, progress: Progress) -> Report:
    report = Report(engine.name, pipeline.rules.fingerprint)
    open_work = partial(unit_of_work, pipeline.engine, pipeline.clock)
    look = partial(snapshot, pipeline.engine)
    with open_work(_SETTLING) as work:
        ledger.write_audit(work, actor, "rematch started", engine.name, {"rules": pipeline.rules.fingerprint})
    for domain in RESOLUTION_ORDER:
        model, reading = pipeline.rules.models[domain], None
        for number in range(_PASSES):
            if reading is None or _moved(look, reading):
                reading = None
                _renew_keys(pipeline, domain, open_work, look, progress)
            with look() as work:
                if reading is None or _outdated(work, reading):
                    reading = read_records(work, domain, model, file, progress)
                plan = plan_domain(work, reading, domain, model, engine, UNIT, progress)
            if number == 0:
                report.found(plan)
            if plan.empty or not _apply(pipeline, plan, open_work, actor, report.effects(domain), progress):
                break
        else:
            raise OperatorError(
                f"{domain}: the hub kept changing through {_PASSES} passes.",
                action="Run it again when less is coming in.",
            )
        progress(f"{domain}: looking for keys that too many share")
        with open_work(_SETTLING) as work:
            ask_about_all(work, model)
    with open_work(_SETTLING) as work:
        ledger.write_audit(work, actor, "rematch finished", engine.name, report.as_json())
    return report


def _moved(look: _Look, reading: Reading) -> bool:
    with look() as work:
        return _outdated(work, reading)


def _outdated(work: UnitOfWork, reading: Reading) -> bool:
    """Whether records may say something else by now. What a run writes is no part of what it reads of a domain:
    contracts are read by the entities of customers and products, which are settled before them."""
    return whole.others_since(work, reading.publication, (_SETTLING, _KEYS))


def _renew_keys(
    pipeline: Pipeline,
    domain: Domain,
    open_work: _Open,
    look: _Look,
    progress: Progress,
) -> None:
    """Blocking keys of every record as the model says; ingest looks for candidates through them."""
    model = pipeline.rules.models[domain]
    with look() as work:
        ids = whole.live_records(work, domain)
    for start in range(0, len(ids), UNIT):
        part = ids[start : start + UNIT]
        with open_work(_KEYS) as work:
            keys = stored_blocks(work, domain, model, part)
            pairs.store_keys(work, keys)
        if start % (10 * UNIT) == 0:
            progress(f"{domain}: blocking keys of {min(start + UNIT, len(ids)):,} of {len(ids):,} records")


def _apply(pipeline: Pipeline, plan: Plan, open_work: _Open, actor: str, effects: Effects, progress: Progress) -> bool:
    """Settle the units of a plan; False when none of them changed anything."""
    changed = False
    links_of = _by_record(plan)
    for number, unit in enumerate(plan.units, start=1):
        with open_work(_SETTLING) as work:
            delta = _settle(pipeline, work, plan, unit, links_of)
            if _says_something(delta):
                changed = True
                effects.add(delta)
                ledger.write_audit(work, actor, "rematch", plan.domain.value, Effects.of(delta).as_json())
        if number % 10 == 0:
            progress(f"{plan.domain}: settled {number} of {len(plan.units)} units")
    return changed


def _by_record(plan: Plan) -> dict[RecordId, list[tuple[RecordId, RecordId]]]:
    found: dict[RecordId, list[tuple[RecordId, RecordId]]] = {}
    for pair in plan.wanted:
        for rec in pair:
            found.setdefault(rec, []).append(pair)
    return found


def _settle(
    pipeline: Pipeline,
    work: UnitOfWork,
    plan: Plan,
    unit: Sequence[RecordId],
    links_of: dict[RecordId, list[tuple[RecordId, RecordId]]],
) -> IdentityDelta:
    live_ids = _still_live(work, unit)
    model = pipeline.rules.models[plan.domain]
    live = reach.links_of(work, live_ids)
    pairs_here = {pair for rec in live_ids for pair in links_of.get(rec, ())}
    ends = _still_live(work, {end for pair in pairs_here for end in pair})
    wanted = [plan.wanted[pair] for pair in pairs_here if pair[0] in ends and pair[1] in ends]
    links = change_links(live, wanted)
    identity_store.write_links(work, plan.domain, model.fingerprint, links)
    hood = neighbourhood.load_neighbourhood(work, plan.domain, (), live_ids, {})
    delta = settle(hood, pipeline.rules, work.now, links)
    identity_store.write_identity(work, delta)
    place(work, delta, pipeline.rules.placement)
    return delta


def _still_live(work: UnitOfWork, ids: Collection[RecordId]) -> set[RecordId]:
    rows = work.query("select rec_id from source_record where rec_id = any(%s) and not deleted", sorted(ids))
    return {RecordId(row[0]) for row in rows}


def _says_something(delta: IdentityDelta) -> bool:
    parts = (delta.links.added, delta.links.superseded, delta.joined, delta.golden, delta.renewed)
    return any((*parts, delta.tasks_opened, delta.tasks_closed))
