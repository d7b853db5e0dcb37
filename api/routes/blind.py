"""Blind samples over HTTP (`/v1/quality/samples`): draw, judge, and what that tells of the matching.

The same use cases as in the console and on the command line (`mdm.hub.blind`). All of it is about the whole hub.
"""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Response

from api.auth import CallerDep, allows
from api.blind import sides_of
from api.deps import ReadsDep
from api.idempotency import OnceRoute
from api.routes.exceptions import whole_hub
from api.routes.parameters import NumberPath
from api.routes.responses import CHECKED, COMMANDED, GUARDED, UNKNOWN
from api.routes.stewardship import DeskDep, actor_of
from api.schemas.blind import BlindAnswer, Drawing, NextPair, Said, SampleForm, SampleList, SampleReport
from api.wire import answer
from mdm.access import Permission
from mdm.hub import blind
from mdm.model.blind import BlindVerdict
from mdm.model.ids import Domain

router = APIRouter(
    route_class=OnceRoute, prefix="/v1/quality/samples", tags=["quality"],
    dependencies=[Depends(allows(Permission.INSPECT)), Depends(whole_hub)], responses={**GUARDED, **CHECKED},
)  # fmt: skip
deciding = [Depends(allows(Permission.DECIDE))]


@router.get("", name="list_blind_samples", summary="Blind samples", response_model=SampleList)
def list_samples(desk: DeskDep) -> Response:
    """Of all domains, the newest first."""
    return answer({"items": blind.samples(desk)})


@router.post(
    "", name="draw_blind_sample", summary="Draw a blind sample", response_model=SampleForm, responses=COMMANDED,
    dependencies=deciding,
)  # fmt: skip
def draw(asked: Annotated[Drawing, Body()], caller: CallerDep, desk: DeskDep) -> Response:
    """Pairs that are joined, asked about, below the threshold, and in no block together. 409 while another one of the
    domain is open."""
    return answer(blind.draw(desk, Domain(asked.domain), asked.size, actor_of(caller).name, asked.seed))


@router.get(
    "/{id:int}", name="get_blind_sample", summary="What a sample tells", response_model=SampleReport, responses=UNKNOWN
)
def get_sample(id: NumberPath, desk: DeskDep) -> Response:
    """Precision and recall with intervals of 95 %, by platform too, and how far people agree. Which pairs people see
    otherwise than the hub is told of complete pairs only."""
    return answer(blind.as_json(blind.tell(desk, id)))


@router.get(
    "/{id:int}/next", name="get_blind_pair", summary="The next pair to judge", response_model=NextPair,
    responses=UNKNOWN, dependencies=deciding,
)  # fmt: skip
def get_next(id: NumberPath, caller: CallerDep, desk: DeskDep, reads: ReadsDep) -> Response:
    """One that the caller has not judged. It says neither what the hub made of it nor whose rows they are."""
    person = actor_of(caller).name
    found = blind.next_for(desk, id, person)
    if found is None:
        return answer({"pair": None})
    pair_id, a, b, domain = found
    with reads.snapshot() as connection:
        sides = sides_of(connection, domain, pair_id, (a, b), person, caller.eyes)
    return answer(
        {
            "pair": {
                "pair_id": pair_id,
                "domain": domain,
                "sides": [{"system": each.system, "values": each.values} for each in sides],
            }
        }
    )


@router.post(
    "/{id:int}/answers", name="answer_blind_pair", summary="Say whether a pair is one", response_model=Said,
    responses={**UNKNOWN, **COMMANDED}, dependencies=deciding,
)  # fmt: skip
def say(id: NumberPath, given: Annotated[BlindAnswer, Body()], caller: CallerDep, desk: DeskDep) -> Response:
    """Kept once per person; it changes no golden record."""
    blind.say(desk, id, given.pair_id, BlindVerdict(given.verdict), actor_of(caller).name)
    return answer({"pair_id": given.pair_id, "verdict": given.verdict})


@router.post(
    "/{id:int}/close", name="close_blind_sample", summary="Take no more answers", response_model=SampleForm,
    responses={**UNKNOWN, **COMMANDED}, dependencies=deciding,
)  # fmt: skip
def close(id: NumberPath, caller: CallerDep, desk: DeskDep) -> Response:
    """What is there is told on."""
    return answer(blind.close(desk, id, actor_of(caller).name))
