"""How critical workflows are, and how they stand (`/v1/tiers`)."""

from fastapi import APIRouter, Depends, Request, Response

from api.auth import allows
from api.deps import Released
from api.routes.responses import GUARDED
from api.routes.stewardship import DeskDep, PolicyDep
from api.schemas.tiers import Workflows
from api.wire import answer
from mdm.access import Permission
from mdm.hub.reach import must_reach_all
from mdm.hub.steward import load_policy
from mdm.hub.tiers import standings

router = APIRouter(
    prefix="/v1/tiers", tags=["operations"], dependencies=[Depends(allows(Permission.INSPECT))], responses=GUARDED
)


@router.get(
    "", name="get_tiers", summary="Workflows by how critical they are, and how they stand", response_model=Workflows
)
def get_tiers(request: Request, desk: DeskDep, policy: PolicyDep) -> Response:
    """What the tier of each workflow asks of the hub, how fresh its changes of the last 24 hours were, and what of it
    is refused, waits or is overdue.

    Of the whole hub: 403 for callers whose scope is limited.
    """
    must_reach_all(desk.engine, "Tiers of the hub")
    released: Released = request.app.state.released
    with desk.engine.connect() as connection:
        found = standings(connection, released.catalogue, policy or load_policy(), desk.clock())
    return answer({"version": released.catalogue.tiers.version, "workflows": [each.as_json() for each in found]})
