"""From order to posting: the chain that a source row stands in, and where it breaks."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from api.auth import CallerDep, allows
from api.deps import ReadsDep, RulesDep
from api.errors import NOT_FOUND, RECORD_DELETED, refuse
from api.routes.responses import CHECKED, GUARDED, NAMED
from api.schemas.given import Storable
from api.schemas.traces import TraceForm
from api.tracing import billed_in, trace_object, trace_of
from api.wire import answer
from mdm.access import Permission
from mdm.model.ids import CrosswalkKey

router = APIRouter(
    prefix="/v1/trace",
    tags=["trace"],
    dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, **CHECKED},
)


@router.get(
    "/{system}/{type}/{key:path}",
    name="get_trace",
    summary="The chain of a source row, from order to posting",
    response_model=TraceForm,
    responses=NAMED,
)
def get_trace(
    caller: CallerDep,
    reads: ReadsDep,
    rules: RulesDep,
    system: Annotated[Storable, Path(max_length=100, description="Platform, e.g. `erp`.")],
    type: Annotated[
        Storable, Path(max_length=200, description="Table, or `table#alias` for another name of its rows.")
    ],
    key: Annotated[Storable, Path(max_length=500, description="Primary key or alias; may contain slashes.")],
) -> Response:
    """What the row rests on and what followed from it, across the records of its golden contract.

    An order leads to the subscription that is the same contract, its entitlements, invoices, payments and postings,
    though each platform names the contract by a number of its own. A usage batch leads to the invoice that bills it. Of
    an invoice, entitlement, payment or posting the contract and its orders are told, not everything else that followed
    from them.
    """
    name = CrosswalkKey(system, type, key)
    trace = trace_of(reads, name, rules.reconciliation, billed_in(reads.hub))
    if trace is None:
        raise refuse(NOT_FOUND, f"The hub has met no source row {name}.")
    if not trace.steps:
        raise refuse(RECORD_DELETED, f"{name} was deleted in its platform.", last_entity_id=trace.last_entity)
    return answer(trace_object(trace, caller.eyes))
