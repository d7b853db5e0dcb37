"""Search before create, and why records are, or are not, one."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from api.auth import CallerDep, allows
from api.deps import HubDep, ReadsDep, RulesDep
from api.lookup import find_golden
from api.present_matching import entity_object, match_object, pair_object
from api.routes.of_domain import router_of
from api.routes.parameters import EntityIdPath, Parameters
from api.routes.responses import CHECKED, GUARDED, NAMED, ONE, TOO_LARGE, UNKNOWN
from api.schemas.matching import QUESTIONS, EntityExplanation, MatchAnswer, PairExplanation
from api.wire import answer
from mdm.access import Permission
from mdm.hub.explain import explain_two
from mdm.hub.explain_entity import explain_entity
from mdm.hub.match import find_matches
from mdm.model.ids import CrosswalkKey, Domain

#: A candidate is one record: room for fifty identifiers, addresses and lines.
_MOST_BYTES = 64 * 1024


#: The key may contain slashes.
RowName = Annotated[str, StringConstraints(pattern=r"^[^/\x00]+/[^/\x00]+/[^\x00]+$", max_length=800)]


class PairParameters(Parameters):
    """Two source rows."""

    a: RowName = Field(description="`platform/table/key`, e.g. `crm/account/0015gIv5WESmLhPAZV`.")
    b: RowName = Field(description="The other one.")


class ExplainParameters(Parameters):
    """How much to tell."""

    nearest: int = Field(10, ge=0, le=50, description="At most this many rejected candidates.")


pair_router = APIRouter(
    prefix="/v1",
    tags=["identity"],
    dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, **CHECKED},
)


@pair_router.get(
    "/explain",
    name="explain_pair",
    summary="Why two source rows are, or are not, one",
    response_model=PairExplanation,
    responses={**UNKNOWN, 410: NAMED[410]},
)
def explain_rows(pair: Annotated[PairParameters, Query()], caller: CallerDep, hub: HubDep, rules: RulesDep) -> Response:
    """Every comparison with its weight in bits, the blocking rules met, vetoes, and what a steward decided."""
    found = explain_two(hub.engine, rules, CrosswalkKey(*pair.a.split("/", 2)), CrosswalkKey(*pair.b.split("/", 2)))
    return answer(pair_object(found, caller.eyes))


def matching_router(domain: Domain) -> APIRouter:
    """The routes about identity in one domain."""
    router = router_of(domain)
    noun = domain.value

    def match_record(question: Any, caller: CallerDep, hub: HubDep, rules: RulesDep) -> Response:
        """Search before create: which golden records a record that is not in the hub would match.

        The record is read, blocked, scored and decided by the released model as if it had come from a platform.
        Nothing is stored. `advice` says what to do, each candidate's `score` why.
        """
        values = question.values.model_dump(exclude_none=True)
        report = find_matches(hub.engine, rules, domain, values, question.limit, question.minimum_weight)
        return answer(match_object(report, caller.eyes))

    router.post(
        "/match",
        name=f"match_{noun}",
        summary=f"Is this {noun} in the hub already?",
        response_model=MatchAnswer,
        responses=TOO_LARGE,
        max_body_size=_MOST_BYTES,
    )(_asking(match_record, QUESTIONS[domain]))

    @router.get(
        "/{id}/explain",
        name=f"explain_{noun}",
        summary=f"How a {noun} was built from source rows",
        response_model=EntityExplanation,
        responses={**ONE},
    )
    def explain_record(
        id: EntityIdPath,
        look: Annotated[ExplainParameters, Query()],
        request: Request,
        caller: CallerDep,
        hub: HubDep,
        rules: RulesDep,
        reads: ReadsDep,
    ) -> Response:
        """The members step by step, each with its match weight as a sum, and the nearest rejected candidates."""
        with reads.snapshot() as connection:
            find_golden(connection, request, domain, id)
        return answer(entity_object(explain_entity(hub.engine, rules, id, look.nearest), caller.eyes))

    return router


def _asking(handler: Callable[..., Response], form: type[BaseModel]) -> Callable[..., Response]:
    """The handler with the body's form in its signature: forms are made at run time, annotations are read before."""
    handler.__annotations__["question"] = Annotated[form, Body()]
    return handler
