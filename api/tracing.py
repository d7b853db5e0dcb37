"""The chain around a source row as people and systems are told of it: from order to posting, and where it breaks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sqlalchemy import Connection

from api.deps import ReadHub, Reads
from api.errors import AMBIGUOUS_NAME, refuse
from api.last_run import last_run
from api.masking import show_record
from api.present import key_object
from api.processing import batch_of, named
from mdm.access import Eyes
from mdm.lifecycle.policy import Policy
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.store.read_chain import Chain, Step, chain_of, never_arrived, rows_named
from mdm.store.read_models import resolve_names, unresolved

USAGE = "usage_batch"
#: The role by which the invoice that bills a usage batch comes into its chain. Reconciliation found it; no row says it.
BILLED_BY = "billed_by"
#: Says which invoice bills a usage batch.
Billed: TypeAlias = Callable[[CrosswalkKey], CrosswalkKey | None]


@dataclass(frozen=True, slots=True)
class Gap:
    """What one would expect in a chain and does not find, and the row about which that is said."""

    code: str
    record: CrosswalkKey
    detail: str


@dataclass(frozen=True, slots=True)
class Trace:
    """The chain of a row in the order in which it is told, what it rests on first, and its gaps.

    Without a step where the row is not there any more; `last_entity` is what it belonged to then.
    """

    record: CrosswalkKey
    steps: Sequence[Step]
    gaps: Sequence[Gap]
    complete: bool
    last_entity: EntityId | None = None


def trace_of(reads: Reads, name: CrosswalkKey, policy: Policy, billed: Billed | None = None) -> Trace | None:
    """The chain of the row of this key or alias, as the caller reaches it; None when the hub has met no such row.

    The policy says which invoices are not due to be posted. `billed` says which invoice bills a usage batch, which
    names its customer and product only; the chain goes on there.

    Raises:
        ProblemRaised: `ambiguous-name`, when several rows have the alias.
    """
    with reads.snapshot() as connection:
        found = rows_named(connection, name)
        if not found:
            return None
        if len(found) > 1:
            rows = ["/".join(key) for _, key in found]
            raise refuse(AMBIGUOUS_NAME, f"{name} means {len(found)} source rows.", candidates=rows)
        rec_id, record = found[0]
        chain = chain_of(connection, rec_id)
        if not chain.steps:
            seen = unresolved(connection, record)
            return Trace(record, (), (), True, seen.last_entity if seen is not None else None)
    # After the first connection was given back: whoever holds one while waiting for another can wait for ever.
    invoice = billed(record) if billed is not None and _begins_with(chain, USAGE) else None
    if invoice is not None:
        with reads.snapshot() as connection:
            chain = _with_invoice(connection, chain, invoice)
    with reads.own().snapshot() as whole:
        unseen = never_arrived(whole, chain)
        meant = resolve_names(whole, {step.key for step in unseen})  # a code in another spelling has arrived
    unseen = [step for step in unseen if step.key not in meant]
    steps = sorted([*chain.steps, *unseen], key=lambda step: (step.level, step.kind, step.key))
    return Trace(record, steps, [*_unseen(unseen), *_broken(chain, policy)], chain.complete)


def billed_in(hub: ReadHub) -> Billed:
    """Which invoice bills a usage batch, as the last run of reconciliation found it. That is waited for when asked."""

    def billed(batch: CrosswalkKey) -> CrosswalkKey | None:
        found = named(last_run.of(hub.engine, hub.clock()).batches, batch_of, batch)
        return None if found is None else found.invoice

    return billed


def trace_object(trace: Trace, eyes: Eyes) -> dict[str, Any]:
    """A trace (`api.schemas.traces.TraceForm`)."""
    return {
        "record": key_object(trace.record),
        "steps": [_step_object(step, eyes) for step in trace.steps],
        "gaps": [{"code": gap.code, "record": key_object(gap.record), "detail": gap.detail} for gap in trace.gaps],
        "complete": trace.complete,
    }


def _begins_with(chain: Chain, kind: str) -> bool:
    return any(step.through is None and step.kind == kind for step in chain.steps)


def _with_invoice(connection: Connection, chain: Chain, invoice: CrosswalkKey) -> Chain:
    """The chain of a usage batch with that of the invoice that bills it, as far as it is within reach: the invoice and
    what belongs to it followed from the usage; what the invoice rests on, so does the usage."""
    found = rows_named(connection, invoice)
    if len(found) != 1:
        return chain
    further = chain_of(connection, found[0][0])
    begin = next(step.key for step in chain.steps if step.through is None)
    known = {step.key for step in chain.steps}
    more = [
        replace(step, level=1, role=BILLED_BY, through=begin)
        if step.through is None
        else replace(step, level=step.level + 1 if step.level > 0 else step.level)
        for step in further.steps
        if step.key not in known
    ]
    return Chain([*chain.steps, *more], [*chain.records, *further.records], chain.complete and further.complete)


def _step_object(step: Step, eyes: Eyes) -> dict[str, Any]:
    shown = show_record(step.domain, step.attributes or {}, eyes)
    return {
        **key_object(step.key),
        "kind": step.kind,
        "level": step.level,
        "role": step.role or None,
        "through": key_object(step.through) if step.through is not None else None,
        "arrived": step.attributes is not None,
        "attributes": shown.values,
        "masked": shown.masked,
        "event_time": step.event_time,
        "entity_id": step.entity_id,
    }


def _unseen(steps: Sequence[Step]) -> Iterator[Gap]:
    for step in steps:
        yield Gap("NEVER_ARRIVED", step.key, f"{step.role} {step.key.key} is named, but never arrived.")


def _broken(chain: Chain, policy: Policy) -> Iterator[Gap]:
    """Invoices without what should belong to them; of a chain that is cut nobody knows."""
    if not chain.complete:
        return
    kinds = {step.key: step.kind for step in chain.steps}
    # A chain that began at a posting has found the invoice through it; otherwise the invoice has led to the posting.
    belongs = {(step.kind, step.through) for step in chain.steps if step.through is not None}
    belongs |= {(kinds[step.through], step.key) for step in chain.steps if step.through in kinds}
    for step in chain.steps:
        if step.kind != "invoice" or step.attributes is None:
            continue
        status, number = step.attributes.get("status"), step.attributes.get("number") or step.key.key
        if ("posting", step.key) not in belongs and not policy.says("invoice_not_due", status):
            yield Gap("POSTING_MISSING", step.key, f"No posting in ERP names the invoice {number}.")
        if ("payment", step.key) not in belongs and status == "paid":
            yield Gap("PAYMENT_MISSING", step.key, f"The invoice {number} is paid, but no payment names it.")
