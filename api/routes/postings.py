"""The pre-posting check: what ERP would refuse is told before it is posted."""

from fastapi import APIRouter, Depends, Request, Response

from api.access_log import shown
from api.auth import CallerDep, allows
from api.deps import HubDep, Released
from api.present_postings import planned, postings_object
from api.routes.responses import CHECKED, GUARDED, TOO_LARGE
from api.schemas.postings import GivenPostings, PostingVerdicts
from api.wire import answer
from mdm.access import Permission
from mdm.hub.prepost import check_postings

#: A line has some hundred characters.
_MOST_BYTES = 4 * 1024 * 1024

router = APIRouter(
    prefix="/v1/postings",
    tags=["postings"],
    dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, **CHECKED},
)


@router.post(
    "/validate",
    name="validate_postings",
    summary="May these postings be made, or would ERP refuse them?",
    response_model=PostingVerdicts,
    responses=TOO_LARGE,
    max_body_size=_MOST_BYTES,
)
def validate_postings(asked: GivenPostings, request: Request, hub: HubDep, caller: CallerDep) -> Response:
    """Pass or block for each of up to 500 postings, with every reason: what is wrong, where, whose move it is.

    Held against the golden customer behind the business partner, the chart of accounts and the tax codes of the
    company code, the mapping of use and revenue in force, and the months that are closed. Nothing is stored.
    """
    released: Released = request.app.state.released
    postings = [planned(each) for each in asked.postings]
    documents = request.app.state.posting_documents
    checked = check_postings(hub.engine, released.catalogue, documents, postings, hub.clock())
    shown(request.scope, *sorted({each.customer for each in checked.judgements if each.customer is not None}))
    return answer(postings_object(checked, caller.eyes))
