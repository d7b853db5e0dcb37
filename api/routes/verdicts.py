"""The last verdicts of ERP onboarding over HTTP (`/v1/onboarding/verdicts`): who may be created in ERP, who may not and
for which code. Kept ones, as the calendar worker or a recheck drew them; one customer's of now is its readiness.
"""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api.access_log import shown
from api.auth import allows
from api.cursors import read_cursor, write_cursor
from api.deps import HubDep, ReadsDep, RulesDep
from api.routes.parameters import Paged, Parameters
from api.routes.responses import CHECKED, GUARDED
from api.schemas.given import Storable
from api.schemas.onboarding import DecisionName, Erp, KeptVerdicts, VerdictSummary
from api.wire import answer
from mdm.access import Permission
from mdm.onboarding.ruleset import RuleSet, shipped_ruleset
from mdm.store.read_verdicts import KeptVerdict, Narrowed, count_verdicts, kept_verdicts

router = APIRouter(
    prefix="/v1/onboarding/verdicts", tags=["onboarding"], dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, **CHECKED},
)  # fmt: skip
_ERP = "The rule set's own ERP when absent."


class VerdictParameters(Paged):
    """Which verdicts."""

    erp: Erp | None = Field(None, description=_ERP)
    decision: DecisionName | None = None
    code: Storable | None = Field(None, max_length=64, description="It failed, or could not be verified.")
    country: str | None = Field(None, pattern="^[A-Za-z]{2}$", description="Country of the seat, ISO 3166-1 alpha-2.")
    in_erp: bool | None = Field(None, description="ERP has a row of the customer already, or has none yet.")


class SummaryParameters(Parameters):
    """For which ERP."""

    erp: Erp | None = Field(None, description=_ERP)


@router.get("", name="list_verdicts", summary="Who may be created in ERP", response_model=KeptVerdicts)
def list_verdicts(
    page: Annotated[VerdictParameters, Query()], request: Request, hub: HubDep, reads: ReadsDep, released: RulesDep
) -> Response:
    """The last verdict on each golden customer, by id. `decision=ready&in_erp=false` are those to create."""
    rules, scope = _aimed(page.erp), page.scope("onboarding/verdicts")
    after = str(read_cursor(page.cursor, scope, (str,))[0]) if page.cursor is not None else None
    narrowed = Narrowed(page.decision, page.code, page.country.upper() if page.country else None, page.in_erp)
    erp = rules.target.erp
    with reads.snapshot() as connection:
        found = kept_verdicts(
            connection, released.platforms.erps, erp, rules.digest, narrowed, hub.clock(), after, page.limit + 1
        )
    items = found[: page.limit]
    shown(request.scope, *(each.entity_id for each in items))
    following = write_cursor(scope, (items[-1].entity_id,)) if len(found) > page.limit else None
    return answer({"items": [_verdict_object(each) for each in items], "next": following, "erp": erp})


@router.get("/summary", name="get_verdict_summary", summary="Verdicts in numbers", response_model=VerdictSummary)
def get_summary(look: Annotated[SummaryParameters, Query()], reads: ReadsDep) -> Response:
    """Customers by decision and by code, and how many nobody has judged yet."""
    erp = _aimed(look.erp).target.erp
    with reads.snapshot() as connection:
        decisions, codes, unjudged = count_verdicts(connection, erp)
    return answer({"erp": erp, "decisions": decisions, "codes": codes, "unjudged": unjudged})


def _aimed(erp: str | None) -> RuleSet:
    return shipped_ruleset() if erp is None else shipped_ruleset().aimed_at(erp)


def _verdict_object(verdict: KeptVerdict) -> dict[str, Any]:
    told = asdict(verdict)
    return {"id": told.pop("entity_id"), **told}
