"""Processes over HTTP (`/v1/process`): how far a contract got from quote to cash, a usage batch from use to revenue."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field

from api.auth import CallerDep, allows
from api.cursors import read_cursor, write_cursor
from api.deps import HubDep, ReadHub, ReadsDep
from api.errors import AMBIGUOUS_NAME, NOT_FOUND, refuse
from api.last_run import last_run
from api.lookup import find_golden
from api.processing import batch_of, behind, contract_of, named, quote_object, usage_object, within_reach
from api.routes.parameters import EntityIdPath, Paged
from api.routes.responses import AMBIGUOUS, CHECKED, GUARDED, ONE, UNKNOWN
from api.schemas.given import Storable
from api.schemas.process import (
    QuoteStage,
    QuoteToCashForm,
    QuoteToCashPage,
    State,
    UsageStage,
    UsageToRevenueForm,
    UsageToRevenuePage,
)
from api.wire import answer
from mdm.access import Permission
from mdm.hub.reconcile import Reconciliation
from mdm.lifecycle.quote_to_cash import QuoteToCash
from mdm.lifecycle.usage_to_revenue import UsageToRevenue
from mdm.model.ids import CrosswalkKey, Domain

router = APIRouter(
    prefix="/v1/process", tags=["process"], dependencies=[Depends(allows(Permission.INSPECT))],
    responses={**GUARDED, **CHECKED},
)  # fmt: skip
_GoldenId = Annotated[Storable | None, Field(min_length=1, max_length=64, description="Golden record id.")]


class ProcessParameters(Paged):
    """Which of them."""

    state: State | None = Field(None, description="How the stage stands that it is in.")
    owner: Storable | None = Field(None, max_length=200, description="Whose move it is.")
    customer: _GoldenId = None

    def fits(self, each: QuoteToCash | UsageToRevenue) -> bool:
        at = each.at
        return (
            self.state in (None, at.state.value)
            and (self.owner is None or (at.next_step is not None and at.next_step.owner == self.owner))
            and self.customer in (None, each.customer)
        )


class QuoteParameters(ProcessParameters):
    """Which contracts."""

    stage: QuoteStage | None = Field(None, description="Only those in this stage.")


class UsageParameters(ProcessParameters):
    """Which usage batches."""

    stage: UsageStage | None = Field(None, description="Only those in this stage.")
    contract: _GoldenId = None


@router.get(
    "/quote-to-cash", name="list_quote_to_cash", summary="How far contracts got, from order to posting",
    response_model=QuoteToCashPage,
)  # fmt: skip
def list_contracts(page: Annotated[QuoteParameters, Query()], caller: CallerDep, hub: HubDep) -> Response:
    """By id. A contract is in the first stage that it has not passed: one that is done, or that lacks its row while
    what follows is there and no finding asks for it."""
    scope, run = page.scope("quote-to-cash"), _run(hub)
    after = str(read_cursor(page.cursor, scope, (str,))[0]) if page.cursor is not None else None
    fitting: Iterator[QuoteToCash] = (
        each
        for each in behind(run.contracts, contract_of, after)
        if page.fits(each) and page.stage in (None, each.at.name)
    )
    found = list(islice(within_reach(hub.engine, fitting), page.limit + 1))
    shown = found[: page.limit]
    following = write_cursor(scope, [shown[-1].contract]) if len(found) > page.limit else None
    items = [quote_object(each, run.as_of, caller.eyes) for each in shown]
    return answer({"items": items, "next": following, "as_of": run.as_of})


@router.get(
    "/quote-to-cash/{contract}", name="get_quote_to_cash", summary="How far a contract got, from order to posting",
    response_model=QuoteToCashForm, responses=ONE,
)  # fmt: skip
def get_contract(contract: EntityIdPath, request: Request, caller: CallerDep, hub: HubDep, reads: ReadsDep) -> Response:
    """Order, contract, subscription, entitlement, invoice, payment and posting: how each stands, since when, by which
    rows, what holds it up, and what to do next. An absorbed id redirects to its survivor."""
    with reads.snapshot() as connection:
        row = find_golden(connection, request, Domain.CONTRACT, contract)
    run = _run(hub)
    found = named(run.contracts, contract_of, row.entity_id)
    reached = list(within_reach(hub.engine, iter([found] if found is not None else [])))
    if not reached:
        raise refuse(
            NOT_FOUND,
            f"Reconciliation, as of {run.as_of:%Y-%m-%d %H:%M}, does not know {contract} yet; ask again in a minute. "
            "Or its customer is outside of your scope.",
        )
    return answer(quote_object(reached[0], run.as_of, caller.eyes))


@router.get(
    "/usage-to-revenue", name="list_usage_to_revenue", summary="How far usage batches got, from use to posting",
    response_model=UsageToRevenuePage,
)  # fmt: skip
def list_batches(page: Annotated[UsageParameters, Query()], hub: HubDep) -> Response:
    """By platform, table and key. A batch whose customer nobody knows is told to callers without limits only."""
    scope, run = page.scope("usage-to-revenue"), _run(hub)
    after = None
    if page.cursor is not None:
        after = CrosswalkKey(*map(str, read_cursor(page.cursor, scope, (str, str, str))))
    fitting: Iterator[UsageToRevenue] = (
        each
        for each in behind(run.batches, batch_of, after)
        if page.fits(each) and page.stage in (None, each.at.name) and page.contract in (None, each.contract)
    )
    found = list(islice(within_reach(hub.engine, fitting), page.limit + 1))
    shown = found[: page.limit]
    following = write_cursor(scope, shown[-1].batch) if len(found) > page.limit else None
    return answer({"items": [usage_object(each, run.as_of) for each in shown], "next": following, "as_of": run.as_of})


@router.get(
    "/usage-to-revenue/{batch:path}", name="get_usage_to_revenue",
    summary="How far a usage batch got, from use to posting", response_model=UsageToRevenueForm,
    responses={**UNKNOWN, **AMBIGUOUS},
)  # fmt: skip
def get_batch(
    hub: HubDep,
    batch: Annotated[
        Storable, Path(max_length=800, description="`platform/table/key`, or the key alone where one batch has it.")
    ],
) -> Response:
    """The unit of use, the batch, the invoice line that bills it, and its posting: how each stands, since when, by
    which rows, what holds it up, and what to do next. `invoice` is what bills it."""
    run = _run(hub)
    system, _, rest = batch.partition("/")
    type_, _, key = rest.partition("/")
    found = named(run.batches, batch_of, CrosswalkKey(system, type_, key)) if key else None
    meant = [found] if found is not None else [each for each in run.batches if each.batch.key == batch]
    reached = list(within_reach(hub.engine, iter(meant)))
    if not reached:
        raise refuse(NOT_FOUND, f"Reconciliation, as of {run.as_of:%Y-%m-%d %H:%M}, knows no usage batch {batch}.")
    if len(reached) > 1:
        rows = ["/".join(each.batch) for each in reached]
        raise refuse(AMBIGUOUS_NAME, f"{batch} is the key of {len(rows)} usage batches.", candidates=rows)
    return answer(usage_object(reached[0], run.as_of))


def _run(hub: ReadHub) -> Reconciliation:
    return last_run.of(hub.engine, hub.clock())
