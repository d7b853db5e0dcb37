"""Source platforms (`/v1/sources`): what lives of them, and which are out of service."""

from dataclasses import asdict

from fastapi import APIRouter, Depends, Response

from api.auth import allows
from api.routes.responses import GUARDED
from api.routes.stewardship import DeskDep
from api.schemas.sources import Sources
from api.wire import answer
from mdm.access import Permission
from mdm.hub.reach import must_reach_all
from mdm.store.retirements import all_retirements, known_sources

router = APIRouter(
    prefix="/v1/sources", tags=["operations"], dependencies=[Depends(allows(Permission.INSPECT))], responses=GUARDED
)


@router.get("", name="list_sources", summary="Source platforms, and which are out of service", response_model=Sources)
def list_sources(desk: DeskDep) -> Response:
    """How many rows and golden records live of every platform, and which were taken out of service, by whom and why.

    Of the whole hub: 403 for callers whose scope is limited.
    """
    must_reach_all(desk.engine, "Sources of the hub")
    with desk.engine.connect() as connection:
        known, ended = known_sources(connection), all_retirements(connection)
    states = {each.system: each.state for each in ended if each.state != "restored"}
    return answer(
        {
            "sources": [{**asdict(each), "state": states.get(each.system, "in_service")} for each in known],
            "retirements": [
                {name: value for name, value in asdict(each).items() if name != "retirement_id"} for each in ended
            ],
        }
    )
