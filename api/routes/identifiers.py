"""Identifiers over HTTP (`/v1/identifiers`): what their columns hold, and which a source gave to another company.

The same use cases as in the console and on the command line (`mdm.hub.identifiers`). All of it is about the whole hub.
"""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request, Response

from api.auth import CallerDep, allows
from api.deps import Released
from api.idempotency import OnceRoute
from api.routes.exceptions import PipelineDep, whole_hub
from api.routes.parameters import NumberPath
from api.routes.responses import CHECKED, COMMANDED, GUARDED, UNKNOWN
from api.schemas.identifiers import NamespaceList, RecycledForm, RecycledList, Saying
from api.wire import answer
from mdm.access import Caller, Permission, may_see
from mdm.hub import identifiers
from mdm.hub.process import Pipeline
from mdm.intake.namespaces import lint
from mdm.model.canonical import DataClass

router = APIRouter(
    route_class=OnceRoute, prefix="/v1/identifiers", tags=["identifiers"],
    dependencies=[Depends(allows(Permission.INSPECT)), Depends(whole_hub)], responses={**GUARDED, **CHECKED},
)  # fmt: skip
deciding = [Depends(allows(Permission.DECIDE))]


@router.get("/namespaces", name="list_namespaces", summary="What identifier columns hold", response_model=NamespaceList)
def list_namespaces(request: Request) -> Response:
    """By the mappings of all platforms; `undeclared` is what the linter finds."""
    released: Released = request.app.state.released
    profiles = released.catalogue.profiles
    return answer(
        {
            "items": [
                {"system": profile.system, "table": profile.table, **asdict(each)}
                for profile in profiles
                if profile.mapping is not None
                for each in profile.mapping.namespaces
            ],
            "undeclared": [asdict(each) for each in lint(profiles)],
        }
    )


@router.get(
    "/recycled", name="list_recycled", summary="Identifiers that were given to another company",
    response_model=RecycledList,
)  # fmt: skip
def list_recycled(caller: CallerDep, pipeline: PipelineDep) -> Response:
    """Such an identifier counts for nothing in matching. `take_back` is what was built on it before that was known."""
    found = identifiers.told(pipeline)
    return answer({"items": [identifiers.as_json(each, numbers=_numbers(caller)) for each in found]})


@router.post(
    "/recycled/{id:int}/keep", name="keep_identifier", summary="Say that it is one company after all",
    response_model=RecycledForm, responses={**UNKNOWN, **COMMANDED}, dependencies=deciding,
)  # fmt: skip
def keep(id: NumberPath, said: Annotated[Saying, Body()], caller: CallerDep, pipeline: PipelineDep) -> Response:
    """It was renamed and moved: the identifier counts again, and its exception is accepted. `id` is the exception's."""
    identifiers.keep(pipeline, id, said.reason, caller.label)
    return _one(pipeline, caller, id)


@router.post(
    "/recycled/{id:int}/demote", name="demote_identifier", summary="Take that word back",
    response_model=RecycledForm, responses={**UNKNOWN, **COMMANDED}, dependencies=deciding,
)  # fmt: skip
def demote(id: NumberPath, said: Annotated[Saying, Body()], caller: CallerDep, pipeline: PipelineDep) -> Response:
    """The identifier counts for nothing again, and its exception is open."""
    identifiers.demote(pipeline, id, said.reason, caller.label)
    return _one(pipeline, caller, id)


def _one(pipeline: Pipeline, caller: Caller, exception_id: int) -> Response:
    found = identifiers.find(identifiers.told(pipeline, exception_id=exception_id), exception_id)
    return answer(identifiers.as_json(found, numbers=_numbers(caller)))


def _numbers(caller: Caller) -> bool:
    return may_see(caller.role, DataClass.CONFIDENTIAL)
