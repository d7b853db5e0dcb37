"""Which ways are open to a signed-in person: read off the routes, so that no page offers what its route refuses.

Templates ask `opens(address)` before a link and `sends(address)` before a form; `lacking(address)` says in words why
a form is not there. Nothing about roles is written down a second time.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute, compile_path

from api.auth import Guard
from api.console.guard import whole_hub
from mdm.access import MEANINGS, Caller, Permission


class Toll(NamedTuple):
    """What a route asks of whoever comes: all of these permissions, and whether a scope that reaches all of the hub."""

    permissions: frozenset[Permission]
    whole_hub: bool = False

    def lacking(self, caller: Caller) -> str:
        """Why this person does not get through, in a sentence; empty when they do."""
        missing = [each for each in Permission if each in self.permissions and not caller.may(each)]
        if missing:
            return f"Your roles do not include this: {'; '.join(MEANINGS[each] for each in missing)}."
        if self.whole_hub and caller.scope.limits_rows:
            return "This is about the whole hub, and your scope reaches a part of it."
        return ""


class Ways:
    """The routes of an application by method and address, in the order in which they are tried."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        known = [each.original_route for each in iter_route_contexts(routes)]
        self._routes = [
            (method, compile_path(route.path)[0], _toll(route.dependant))
            for route in known
            if isinstance(route, APIRoute) and route.path.startswith("/console")
            for method in route.methods or ()
        ]
        self.toll = lru_cache(maxsize=4096)(self._find)

    def _find(self, method: str, path: str) -> Toll | None:
        """What a route of the console asks; None where there is no such route."""
        for known, pattern, toll in self._routes:
            if known == method and pattern.match(path):
                return toll
        return None

    def lacking(self, caller: Caller, method: str, address: str) -> str:
        """Why a way is closed to somebody; empty when it is open.

        Raises:
            LookupError: no route of the console answers there. Addresses elsewhere are open.
        """
        path = address.partition("#")[0].partition("?")[0]
        if not path.startswith("/console"):
            return ""
        toll = self.toll(method, path)
        if toll is None:
            raise LookupError(f"The console has no way {method} {path}.")
        return toll.lacking(caller)


class OpenWays:
    """The ways of one person, as templates ask for them."""

    def __init__(self, ways: Ways, caller: Caller) -> None:
        self._ways, self._caller = ways, caller

    def opens(self, address: str) -> bool:
        """Whether a link leads somewhere."""
        return not self._ways.lacking(self._caller, "GET", address)

    def sends(self, address: str) -> bool:
        """Whether a form is taken."""
        return not self.lacking(address)

    def lacking(self, address: str) -> str:
        """Why a form is not taken, in a sentence; empty when it is."""
        return self._ways.lacking(self._caller, "POST", address)


def ways_of(request: Request) -> Ways:
    """The ways of the application that answers; read once."""
    state = request.app.state
    if not hasattr(state, "ways"):
        state.ways = Ways(request.app.routes)
    found: Ways = state.ways
    return found


def _toll(dependant: Dependant) -> Toll:
    asked = list(_dependencies(dependant))
    permissions = frozenset(each.permission for each in asked if isinstance(each, Guard))
    return Toll(permissions, any(each is whole_hub for each in asked))


def _dependencies(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for each in dependant.dependencies:
        yield from _dependencies(each)
