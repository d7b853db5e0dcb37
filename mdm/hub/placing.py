"""Keeping where golden records belong in step with what they say: part of every unit of work that settles identity."""

from collections.abc import Callable

from sqlalchemy import Engine

from mdm.clock import Clock
from mdm.core.placing import PlacementPlan, place_customer, product_placement
from mdm.model.delta import IdentityDelta
from mdm.model.ids import Domain
from mdm.store import ledger
from mdm.store import placement as store
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

#: Records placed between two queries of a whole run.
_AT_ONCE = 5_000


def place(work: UnitOfWork, delta: IdentityDelta, plan: PlacementPlan) -> None:
    """Place the golden records of a delta, and contracts whose customer came to belong elsewhere."""
    if delta.domain is Domain.CONTRACT:
        store.place_contracts(
            work, {each.entity_id: store.customer_named(each.values.get("customer")) for each in delta.golden}
        )
        return
    if delta.domain is Domain.PRODUCT:
        store.write_placements(work, {each.entity_id: product_placement() for each in delta.golden})
        return
    placements = {
        each.entity_id: place_customer(plan, each.values, {key.system for key in each.members}) for each in delta.golden
    }
    elsewhere = store.write_placements(work, placements)
    moved = [change.rec_id for change in delta.joined if change.left is not None]
    moved += [rec for rec, _ in delta.departed]
    store.place_contracts(work, store.contracts_of(work, elsewhere, moved))


def place_everything(
    engine: Engine, clock: Clock, plan: PlacementPlan, actor: str, progress: Callable[[int], None] = lambda _done: None
) -> int:
    """Place every golden record anew: after the plan has changed. Returns how many were looked at."""
    done = 0
    with unit_of_work(engine, clock, "access") as work:
        for domain in Domain:  # contracts come last, and follow their customers
            after = ""
            while rows := store.all_golden(work, domain, after, _AT_ONCE):
                if domain is Domain.CONTRACT:
                    store.place_contracts(work, {row[0]: store.customer_named(row[1].get("customer")) for row in rows})
                else:
                    placements = {
                        id_: product_placement() if domain is Domain.PRODUCT else place_customer(plan, values, systems)
                        for id_, values, systems in rows
                    }
                    store.write_placements(work, placements)
                after = rows[-1][0]
                done += len(rows)
                progress(done)
        ledger.write_audit(work, actor, "placed", "placement", {"plan": plan.version, "records": done})
    return done
