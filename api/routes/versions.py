"""Which versions of the API and of its events are used (`/v1/versions/usage`): whom a change of either would reach."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api.auth import allows
from api.deps import HubDep
from api.routes.parameters import Parameters
from api.routes.responses import CHECKED, GUARDED
from api.schemas.versions import VersionUsage
from api.versions import EVENTS, VERSION, VersionLog
from api.wire import answer
from mdm.access import Permission
from mdm.hub.reach import must_reach_all
from mdm.store.version_usage import Pinned, Usage, pinned_consumers, usage_since

router = APIRouter(
    prefix="/v1/versions",
    tags=["operations"],
    dependencies=[Depends(allows(Permission.INSPECT))],
    responses={**GUARDED, **CHECKED},
)


class UsageParameters(Parameters):
    """How far back."""

    days: int = Field(30, ge=1, le=400, description="Of the last days, today included.")


@router.get(
    "/usage", name="get_version_usage", summary="Who uses which version of the API and of events",
    response_model=VersionUsage,
)  # fmt: skip
def get_usage(look: Annotated[UsageParameters, Query()], request: Request, hub: HubDep) -> Response:
    """By version; callers that are pinned to it (`API-Version`, `events` of a consumer) apart from those who take what
    comes. What readers of Kafka's topics are built for, the hub does not see.

    Of the whole hub: 403 for callers whose scope is limited.
    """
    must_reach_all(hub.engine, "Use of versions")
    log: VersionLog = request.app.state.version_log
    log.write()
    since = hub.clock().date() - timedelta(days=look.days - 1)
    with hub.engine.connect() as connection:
        return answer(usage_object(since, usage_since(connection, since), pinned_consumers(connection)))


def usage_object(since: date, used: Sequence[Usage], consumers: Sequence[Pinned]) -> dict[str, Any]:
    """Use of versions (`api.schemas.versions.VersionUsage`)."""
    return {
        "since": since,
        "served": {"api": [VERSION], "events": [str(each) for each in EVENTS]},
        "items": [
            {
                "surface": each.surface,
                "version": each.version,
                "pinned": each.pinned,
                "requests": sum(one.requests for one in each.callers),
                "deprecated": sum(one.deprecated for one in each.callers),
                "last_at": max(one.last_at for one in each.callers),
                "callers": list(each.callers),
            }
            for each in used
        ],
        "consumers": list(consumers),
    }
