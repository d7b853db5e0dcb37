"""Parameters in addresses, and conditions: each is one that its route knows, and is given once.

A misspelt filter must not return everything, of two values nobody should have to guess which one counts, and a change
that was asked for under a condition must not be made by a route that does not look at it.
"""

from collections import Counter
from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.errors import INVALID_REQUEST, STALE, refuse

_READS = ("GET", "HEAD", "OPTIONS")


def refuse_strangers(request: Request) -> None:
    """Look at the parameters of a request to the API.

    Raises:
        ProblemRaised: `invalid-request`, when one is unknown to the route or comes twice; `precondition-failed`, when a
            change has a condition that the route knows nothing of.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    condition = request.headers.get("if-match", "*").strip()
    if condition != "*" and request.method not in _READS and "if-match" not in _headers(route.dependant):
        raise refuse(STALE, "What this request is about has no entity tag that `If-Match` could name.")
    if not request.scope["query_string"]:
        return
    known = frozenset(_names(route.dependant))
    given = Counter(name for name, _ in request.query_params.multi_items())
    errors = [
        {"parameter": f"query.{name}", "detail": "is given more than once" if name in known else "is not known here"}
        for name, times in given.items()
        if times > 1 or name not in known
    ]
    if errors:
        raise refuse(INVALID_REQUEST, "Some parameters are not understood.", errors=errors)


def _headers(dependant: Dependant) -> Iterator[str]:
    yield from (parameter.alias.lower() for parameter in dependant.header_params)
    for each in dependant.dependencies:
        yield from _headers(each)


def _names(dependant: Dependant) -> Iterator[str]:
    for parameter in dependant.query_params:
        form = parameter.field_info.annotation
        if isinstance(form, type) and issubclass(form, BaseModel):
            yield from (field.alias or name for name, field in form.model_fields.items())
        else:
            yield parameter.alias
    for each in dependant.dependencies:
        yield from _names(each)
