"""Parameters in addresses: each is one that its route knows, and is given once.

A misspelt filter must not return everything, and of two values nobody should have to guess which one counts.
"""

from collections import Counter
from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.errors import INVALID_REQUEST, refuse


def refuse_strangers(request: Request) -> None:
    """Look at the parameters of a request to the API.

    Raises:
        ProblemRaised: `invalid-request`, when one is unknown to the route or comes twice.
    """
    route = request.scope.get("route")
    if not request.scope["query_string"] or not isinstance(route, APIRoute):
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


def _names(dependant: Dependant) -> Iterator[str]:
    for parameter in dependant.query_params:
        form = parameter.field_info.annotation
        if isinstance(form, type) and issubclass(form, BaseModel):
            yield from (field.alias or name for name, field in form.model_fields.items())
        else:
            yield parameter.alias
    for each in dependant.dependencies:
        yield from _names(each)
