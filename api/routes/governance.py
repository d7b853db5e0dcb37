"""Governance against its thresholds (`/v1/governance/scorecard`)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api.auth import allows
from api.last_run import last_run
from api.routes.parameters import Parameters
from api.routes.releases import PipelineDep
from api.routes.responses import CHECKED, GUARDED
from api.routes.stewardship import PolicyDep
from api.schemas.governance import ScorecardForm
from api.wire import answer
from mdm.access import Permission
from mdm.hub.compliance import scorecard_json
from mdm.hub.reach import must_reach_all
from mdm.hub.scorecard import scorecard
from mdm.hub.steward import load_policy
from mdm.intake.ownership import load_ownership

router = APIRouter(
    prefix="/v1/governance", tags=["kpis"], dependencies=[Depends(allows(Permission.INSPECT))],
    responses={**GUARDED, **CHECKED},
)  # fmt: skip


class ScorecardParameters(Parameters):
    """What no measure may be below."""

    min: float = Field(0.0, ge=0, le=1, description="No measure may be below this, whatever its own threshold is.")


@router.get(
    "/scorecard", name="get_scorecard", summary="Governance against its thresholds", response_model=ScorecardForm
)
def get_scorecard(
    asked: Annotated[ScorecardParameters, Query()], request: Request, hub: PipelineDep, policy: PolicyDep
) -> Response:
    """Every measure with what it must reach, whose move it is when it does not, and what to do.

    Of the whole hub: 403 for callers whose scope is limited. It looks the audit chain through, so ask for it now and
    then, not all the time.
    """
    must_reach_all(hub.engine, "Governance of the hub")
    found = last_run.of(hub.engine, hub.clock())
    ownership = load_ownership(request.app.state.ownership)
    return answer(scorecard_json(scorecard(hub, policy or load_policy(), ownership, found, asked.min)))
