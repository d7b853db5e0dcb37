"""The API described by the service itself: OpenAPI, a page that needs no other host, and one page per problem."""

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.console.pages import page
from api.errors import CATALOGUE, NOT_FOUND, refuse
from api.openapi import describe
from api.wire import encode

router = APIRouter(tags=["documentation"], include_in_schema=False)

_CACHE = {"Cache-Control": "public, max-age=300"}


@router.get("/")
async def root() -> Response:
    return RedirectResponse("/docs", 307)


@router.get("/openapi.json")
async def openapi_document(request: Request) -> Response:
    content = encode(describe(request.app))
    return Response(content, 200, _CACHE, "application/json")


@router.get("/docs")
async def docs(request: Request) -> Response:
    return page("docs.html", request, api=describe(request.app))


@router.get("/problems")
async def problems(request: Request) -> Response:
    return page("problems.html", request, problems=list(CATALOGUE.values()))


@router.get("/problems/{code}")
async def problem(code: str, request: Request) -> Response:
    known = CATALOGUE.get(code)
    if known is None:
        raise refuse(NOT_FOUND, "No problem has this code.")
    return page("problems.html", request, problems=[known])
