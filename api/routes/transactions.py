"""Business transactions that stand still (`/v1/transactions/stuck`): what got as far as one step and no further."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from api.auth import allows
from api.cursors import read_cursor, write_cursor
from api.deps import HubDep
from api.last_run import last_run
from api.present_findings import amounts_object, stuck_object
from api.routes.parameters import Paged
from api.routes.responses import CHECKED, GUARDED
from api.schemas.findings import StuckPage
from api.wire import answer
from mdm.access import Permission
from mdm.lifecycle.stuck import sums_of

router = APIRouter(
    prefix="/v1/transactions", tags=["findings"], dependencies=[Depends(allows(Permission.INSPECT))],
    responses={**GUARDED, **CHECKED},
)  # fmt: skip

Stage = Literal["ordered", "subscribed", "invoiced", "rejected", "posted"]


class StuckParameters(Paged):
    """Which transactions."""

    stage: Stage | None = Field(None, description="Only those whose last step this was.")
    days_from: int | None = Field(None, ge=0, le=100_000, description="Only those that have stood still for so long.")


@router.get(
    "/stuck", name="list_stuck_transactions", summary="Business transactions that stand still",
    response_model=StuckPage,
)  # fmt: skip
def list_stuck(page: Annotated[StuckParameters, Query()], hub: HubDep) -> Response:
    """Orders without a subscription, running subscriptions without an invoice, invoices without a journal entry, with
    rejected ones only, or without payment, each for longer than the policy allows. What has waited longest comes
    first; time is that of the newest event."""
    looked = last_run.look(hub.engine, hub.clock())
    assert looked is not None, "without patience it is waited for"
    found = [
        each for each in looked.found.stuck
        if page.stage in (None, each.stage) and each.days >= (page.days_from or 0)
    ]  # fmt: skip
    scope, behind = page.scope("stuck"), found
    if page.cursor is not None:
        since, *subject = read_cursor(page.cursor, scope, (str, str, str, str))
        after = datetime.fromisoformat(str(since)), tuple(subject)
        behind = [each for each in found if (each.since, tuple(each.subject)) > after]
    shown = behind[: page.limit]
    return answer(
        {
            "items": [stuck_object(each) for each in shown],
            "next": write_cursor(scope, [shown[-1].since.isoformat(), *shown[-1].subject])
            if len(behind) > page.limit
            else None,
            "as_of": looked.found.as_of,
            "total": len(found),
            "amounts": amounts_object(sums_of(found)),
        }
    )
