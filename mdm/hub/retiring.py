"""Taking a source out of service: golden records are formed without its rows, and nothing that it ever said is lost.

Its rows count as gone, so golden attributes survive anew from what the other sources state, and golden records that
nobody else has a row of are retired with their ids. History, lineage of former versions, judgements and overrides stay;
what the source still sends is kept and counts as old. Taking it back folds its rows anew, from all that it said, and
gives the ids back that records had before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mdm.core.mirror import mirror
from mdm.errors import Conflict, NotFound, OperatorError
from mdm.hub.arrivals import begin
from mdm.hub.process import BatchReport, Pipeline, apply_rows, by_rules_in_force
from mdm.hub.rehearsal import perform
from mdm.hub.trial import on_a_copy
from mdm.model.arrivals import DomainArrivals
from mdm.model.delta import NOTHING_RECALLED, Recall
from mdm.model.ids import Domain
from mdm.store import retirements
from mdm.store.ledger import write_audit
from mdm.store.reading import snapshot
from mdm.store.refold import load_for_refold
from mdm.store.unit_of_work import UnitOfWork

#: Rows folded in one unit of work.
_BATCH = 1000

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Moved:
    """What taking a source out, or back, did or would do: rows that went or came, and golden records by domain."""

    system: str
    rows: int
    domains: Mapping[Domain, DomainArrivals]


def retire(
    pipeline: Pipeline, system: str, actor: str, reason: str, progress: Progress = lambda _step, _share: None
) -> Moved:
    """Take a source out of service. Interrupted, it goes on where it was when it is called again.

    Raises:
        OperatorError: no reason is given.
        NotFound: nothing is known of such a source.
        Conflict: it is out of service already, or is being taken back.
        TransientError: the database failed; call it again.
    """
    if not reason.strip():
        raise OperatorError("Retiring a source needs a reason.", action="Say why with --reason; the audit keeps it.")
    before = begin(pipeline)
    rows = _live(pipeline, system)

    def close(work: UnitOfWork) -> int:
        known = retirements.of_system(work, system)
        tables = {each.table for each in pipeline.catalogue.profiles if each.system == system}
        if known is None:
            number = retirements.begin(work, system, actor, reason.strip())
            write_audit(work, actor, "source.retire", system, {"rows": rows, "reason": reason.strip()})
        elif known.state == "restoring":
            raise Conflict(
                f"{system} is being taken back.", action=f"Finish that first: `mdm sources restore {system}`."
            )
        elif known.state == "retired" and not rows:
            raise Conflict(f"{system} is out of service already.", action="`mdm sources list` shows it.")
        else:
            number = known.retirement_id
        retirements.close_tables(work, number, system, tables)
        retirements.close_silence(work, system)
        return number

    number = perform(pipeline.engine, pipeline.clock, "retire", close)
    done = _fold_all(pipeline, system, "retire", progress, expected=rows, live=True)
    perform(pipeline.engine, pipeline.clock, "retire", lambda work: retirements.set_state(work, number, "retired"))
    return Moved(system, done, before.arrivals(0).domains)


def restore(
    pipeline: Pipeline, system: str, actor: str, reason: str, progress: Progress = lambda _step, _share: None
) -> Moved:
    """Take a source back into service, with what it has said meanwhile. Raises as `retire`."""
    if not reason.strip():
        raise OperatorError("Restoring a source needs a reason.", action="Say why with --reason; the audit keeps it.")
    before = begin(pipeline)

    def open_again(work: UnitOfWork) -> int:
        known = retirements.of_system(work, system)
        if known is None:
            raise NotFound(f"{system} is not out of service.", action="`mdm sources list` shows which are.")
        if known.state != "restoring":
            retirements.set_state(work, known.retirement_id, "restoring", actor, reason.strip())
            write_audit(work, actor, "source.restore", system, {"reason": reason.strip()})
        retirements.open_tables(work, system)
        return known.retirement_id

    number = perform(pipeline.engine, pipeline.clock, "restore", open_again)
    with snapshot(pipeline.engine) as work:
        recall = retirements.before_it(work, number)
    _fold_all(pipeline, system, "restore", progress, expected=0, live=False, recall=recall)
    perform(pipeline.engine, pipeline.clock, "restore", lambda work: retirements.set_state(work, number, "restored"))
    return Moved(system, _live(pipeline, system), before.arrivals(0).domains)


def try_to_retire(pipeline: Pipeline, system: str, progress: Progress = lambda _step, _share: None) -> Moved:
    """What `retire` would do, found out on a copy of the hub. Nothing of it stays, and nobody waits for it."""
    _live(pipeline, system)
    with on_a_copy(pipeline, "retire", lambda step: progress(step, 0.0), to_take_in=True) as inside:
        return retire(inside, system, "rehearsal", "rehearsal", progress)


def try_to_restore(pipeline: Pipeline, system: str, progress: Progress = lambda _step, _share: None) -> Moved:
    """What `restore` would do, found out like that."""
    with on_a_copy(pipeline, "retire", lambda step: progress(step, 0.0), to_take_in=True) as inside:
        return restore(inside, system, "rehearsal", "rehearsal", progress)


def _live(pipeline: Pipeline, system: str) -> int:
    """How many rows of the source are alive.

    Raises:
        NotFound: nothing is known of it.
    """
    with snapshot(pipeline.engine) as work:
        _, known = retirements.rows_after(work, system, 0, 1, live=False)
        if not known and not any(each.system == system for each in pipeline.catalogue.profiles):
            raise NotFound(f"There is no source {system}.", action="`mdm sources list` shows them.")
        return retirements.live_rows(work, system)


def _fold_all(
    pipeline: Pipeline,
    system: str,
    cause: str,
    progress: Progress,
    *,
    expected: int,
    live: bool,
    recall: Recall = NOTHING_RECALLED,
) -> int:
    done, after = 0, 0
    while True:

        def fold(work: UnitOfWork, start: int = after) -> tuple[int, int]:
            end, keys = retirements.rows_after(work, system, start, _BATCH, live=live)
            if keys:
                through = by_rules_in_force(pipeline, work)
                apply_rows(through, work, mirror((), load_for_refold(work, keys)), BatchReport(), recall=recall)
            return end, len(keys)

        after, folded = perform(pipeline.engine, pipeline.clock, cause, fold)
        done += folded
        if not folded:
            return done
        progress(f"{cause}: {done:,} rows", min(done / expected, 1.0) if expected else 0.5)
