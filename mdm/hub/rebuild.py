"""Everything derived, derived anew from stored history in a fresh schema, compared with live, and taken into use.

Issued ids, judgements, overrides, announcements and the audit are facts and stay. Golden records that come out as they
were keep their version; others get a new one, are announced, and have `rebuild` as their cause.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from mdm.core.comparison import Difference, differences
from mdm.core.digest import golden_digest
from mdm.core.mirror import mirror
from mdm.hub.comparing import with_comparisons
from mdm.hub.content import read_content
from mdm.hub.feeds import LOOK_SECONDS, all_held
from mdm.hub.mappings import note_all_taken
from mdm.hub.oversized import ask_about_all
from mdm.hub.process import Pipeline
from mdm.hub.recycling import say_all, watch_identifiers
from mdm.hub.resolve import DomainChange, block_hashes, resolve_domain, stored_keys
from mdm.intake.mapping import standardise
from mdm.model.ids import RESOLUTION_ORDER, CrosswalkKey, Domain
from mdm.store import letter_groups, pairs, whole
from mdm.store import mirror as mirror_store
from mdm.store import rebuild as store
from mdm.store.ledger import write_audit
from mdm.store.reading import snapshot
from mdm.store.refold import EventRange, in_batches, load_for_refold, rows_of_events
from mdm.store.scratch import consistent, scratch_engine, scratch_schema
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

Progress = Callable[[str, float], None]
_BATCH = 1000
#: Why feeds are held meanwhile, as `mdm feeds list` says it.
HELD_FOR = "mdm rebuild --swap"


@dataclass(frozen=True, slots=True)
class Rebuild:
    """What was derived anew, every difference from live, and whether it is in use now."""

    rows: int
    entities: dict[Domain, int]
    differences: tuple[Difference, ...]
    swapped: bool
    seconds: float


def rebuild(
    pipeline: Pipeline,
    actor: str,
    progress: Progress = lambda _step, _share: None,
    *,
    swap: bool = False,
    keep: bool = False,
    settle: float = 2 * LOOK_SECONDS,
) -> Rebuild:
    """Derive everything anew and compare; with `swap`, take it into use.

    Readers and writers go on meanwhile. For a swap all feeds are held from the start to the end, their messages wait;
    should anybody else write (a steward, an import), nothing is exchanged.

    Raises:
        Conflict: another rebuild is running, or something was written before the swap.
    """
    began = time.monotonic()
    with (
        # The schema first: there is one rebuild at a time, and what another one holds is not let go by mistake.
        scratch_schema(pipeline.engine, "rebuild", keep=keep) as schema,
        all_held(pipeline.engine, pipeline.clock, actor, HELD_FOR, settle) if swap else nullcontext(),
    ):
        progress("copying facts", 0.0)
        with consistent(pipeline.engine) as work:
            copied = store.copy_facts(work, schema)
            live = read_content(work)
        inside = replace(pipeline, engine=scratch_engine(pipeline.engine.url, schema))
        try:
            rows = _fold_all(inside, progress)
            _resolve_all(inside, progress)
            progress("comparing", 0.95)
            with snapshot(inside.engine) as work:
                rebuilt = read_content(work)
        finally:
            inside.engine.dispose()
        found = tuple(differences(live, rebuilt, "rebuilt"))
        if swap:
            progress("taking it into use", 0.98)
            store.swap(pipeline.engine, schema, copied)
            note_all_taken(pipeline.engine, pipeline.clock, pipeline.catalogue)
            _note(pipeline, actor, rows, found)
        progress("done", 1.0)
    return Rebuild(
        rows=rows,
        entities={domain: len(rebuilt.entities[domain]) for domain in RESOLUTION_ORDER},
        differences=found,
        swapped=swap,
        seconds=time.monotonic() - began,
    )


def _fold_all(inside: Pipeline, progress: Progress) -> int:
    """Every row folded from its history and standardised, with all that others look it up by."""
    with snapshot(inside.engine) as work:
        keys = rows_of_events(work, EventRange())
    for number, batch in enumerate(in_batches(keys, _BATCH)):
        with unit_of_work(inside.engine, inside.clock, "rebuild") as work:
            _fold(inside, work, batch)
        progress("folding rows", 0.4 * min((number + 1) * _BATCH / len(keys), 1.0))
    return len(keys)


def _fold(inside: Pipeline, work: UnitOfWork, keys: Sequence[CrosswalkKey]) -> None:
    delta = mirror((), load_for_refold(work, keys))
    found = {head.rec_id: standardise(inside.catalogue, head.key, head.row or {}) for head in delta.heads}
    records = with_comparisons(work, inside.catalogue, delta, found)
    mirror_store.write_mirror(work, delta, records)
    watch_identifiers(work, inside.catalogue, delta, found)
    live = {head.rec_id for head in delta.heads if not head.deleted}
    for domain in RESOLUTION_ORDER:
        model = inside.rules.models[domain]
        blocks = {
            rec: block_hashes(model, record.comparison)
            for rec, record in records.items()
            if record.domain is domain and rec in live
        }
        pairs.store_keys(work, blocks)


def _resolve_all(inside: Pipeline, progress: Progress) -> None:
    """Domain by domain, with everything in place that a record could be compared with."""
    with unit_of_work(inside.engine, inside.clock, "rebuild") as work:
        store.distrust_golden(work, _wrong_digests(work))
    for number, domain in enumerate(RESOLUTION_ORDER):
        model = inside.rules.models[domain]
        with snapshot(inside.engine) as work:
            ids = whole.live_records(work, domain)
            gone = whole.departed_records(work, domain)
        chunks = [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)]
        if domain is Domain.CONTRACT:
            # Blocks of contracts follow their customers and products, which are settled now.
            for chunk in chunks:
                with unit_of_work(inside.engine, inside.clock, "rebuild") as work:
                    pairs.store_keys(work, stored_keys(work, domain, model, chunk))
        for step, chunk in enumerate(chunks or [[]]):
            with unit_of_work(inside.engine, inside.clock, "rebuild") as work:
                change = DomainChange(
                    changed=frozenset(chunk),
                    dirty=frozenset(chunk),
                    gone=frozenset(gone) if step == 0 else frozenset(),
                    cause="rebuild",
                )
                if not change.empty:
                    resolve_domain(work, domain, change, inside.rules)
            progress(f"resolving {domain.plural}", 0.4 + 0.55 * (number + (step + 1) / len(chunks or [[]])) / 3)


def _wrong_digests(work: UnitOfWork) -> list[str]:
    """Entities whose stored digest does not cover what is stored of them."""
    wrong: list[str] = []
    for domain in RESOLUTION_ORDER:
        members = whole.memberships(work, domain)
        digests = whole.current_digests(work, domain)
        wrong += [
            entity_id
            for entity_id, values in whole.current_values(work, domain)
            if golden_digest(members.get(entity_id, ()), values) != digests[entity_id][0]
        ]
    return wrong


def _note(pipeline: Pipeline, actor: str, rows: int, found: Sequence[Difference]) -> None:
    with unit_of_work(pipeline.engine, pipeline.clock, "rebuild") as work:
        letter_groups.recount(work)
        for domain in RESOLUTION_ORDER:
            ask_about_all(work, pipeline.rules.models[domain])
        say_all(work, pipeline.catalogue)
        detail = {"rows": rows, "differences": len(found), "rules": pipeline.rules.fingerprint}
        write_audit(work, actor, "rebuild", "derived tables", detail)
