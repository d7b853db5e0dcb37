"""What happened with a customer (`/v1/customers/{id}/timeline`): from opportunity to posting, by business time."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field, StringConstraints

from api.auth import CallerDep, allows
from api.cursors import read_cursor, write_cursor
from api.deps import HubDep, ReadsDep, RulesDep
from api.last_run import last_run
from api.lookup import find_golden
from api.routes.parameters import EntityIdPath, Paged
from api.routes.responses import CHECKED, GUARDED, ONE
from api.schemas.given import Day
from api.schemas.timeline import TimelinePage
from api.timeline import batches_of, event_object, findings_about
from api.wire import answer
from mdm.access import Permission
from mdm.model.ids import Domain
from mdm.store.read_timeline import KINDS, SUBSCRIPTION, Window, timeline_of

router = APIRouter(
    prefix="/v1/customers", tags=["customers"], dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, **CHECKED},
)  # fmt: skip
_ONE_KIND = "|".join(KINDS)
_Kinds = Annotated[str, StringConstraints(pattern=f"^({_ONE_KIND})(,({_ONE_KIND}))*$", max_length=200)]


class TimelineParameters(Paged):
    """Which events."""

    since: Day | None = Field(None, description="From this day on.")
    until: Day | None = Field(None, description="Up to and with this day.")
    kinds: _Kinds | None = Field(None, description="Separated by commas; all when absent.")

    def window(self, after: tuple[str, int]) -> Window:
        kinds = self.kinds.split(",") if self.kinds is not None else KINDS
        return Window(kinds, self.since, self.until, after)


@router.get(
    "/{id}/timeline", name="get_customer_timeline", summary="What happened with a customer, by business time",
    response_model=TimelinePage, responses=ONE,
)  # fmt: skip
def get_timeline(
    id: EntityIdPath,
    page: Annotated[TimelineParameters, Query()],
    request: Request,
    caller: CallerDep,
    reads: ReadsDep,
    hub: HubDep,
    rules: RulesDep,
) -> Response:
    """Opportunities, orders, contracts, subscriptions, entitlements, usage, invoices, payments and postings, the oldest
    first, each with amount, state, what it belongs to, and the open findings about it. An absorbed id redirects to its
    survivor, and rows that name it are told there."""
    scope, after = page.scope(request.url.path), ("", 0)
    if page.cursor is not None:
        at, place = read_cursor(page.cursor, scope, (str, int))
        after = str(at), int(place)
    with reads.snapshot() as connection:
        row = find_golden(connection, request, Domain.CUSTOMER, id)
        events = timeline_of(
            connection, row.entity_id, rules.reconciliation.tables(SUBSCRIPTION), page.window(after), page.limit + 1
        )
    shown = events[: page.limit]
    looked = last_run.look(hub.engine, hub.clock())
    assert looked is not None, "without patience it is waited for"
    batches, findings = batches_of(hub.engine, looked, shown), None
    if caller.may(Permission.INSPECT):
        parties = {row.entity_id, *(event.contract for event in shown if event.contract is not None)}
        findings = findings_about(looked, sorted(parties))
    more = len(events) > page.limit
    return answer(
        {
            "items": [event_object(event, batches, findings, rules.reconciliation, caller.eyes) for event in shown],
            "next": write_cursor(scope, [shown[-1].at, shown[-1].place]) if more else None,
            "as_of": looked.found.as_of,
        }
    )
