"""Which permission each route takes and which roles hold it: read off the application, told in OpenAPI and in docs/.

python -m api.matrix            writes docs/access-matrix.md
python -m api.matrix --check    exits with 1 when the committed page is not what the application says
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute

from api.auth import Guard
from api.committed import write_or_check
from mdm.access import ALIASES, MEANINGS, POLICY, Permission, Role, may_see, roles_that
from mdm.model.canonical import ATTRIBUTES, DataClass
from mdm.model.ids import Domain

COMMITTED = Path(__file__).parents[1] / "docs" / "access-matrix.md"
_METHODS = ("get", "put", "post", "delete", "patch")


def permissions_by_route(routes: Sequence[BaseRoute]) -> dict[str, frozenset[Permission]]:
    """The permissions that each route takes, all of them; empty where a route asks for none."""
    found: dict[str, frozenset[Permission]] = {}
    for context in iter_route_contexts(routes):
        route = context.original_route
        name = f"{','.join(sorted(getattr(route, 'methods', None) or ()))} {getattr(route, 'path', route)}"
        found[name] = frozenset(_asked(route.dependant)) if isinstance(route, APIRoute) else frozenset()
    return found


def roles_by_route(routes: Sequence[BaseRoute]) -> dict[str, frozenset[Role] | None]:
    """The roles that each route lets pass, None where a route asks for no permission."""
    return {name: roles_that(*asked) if asked else None for name, asked in permissions_by_route(routes).items()}


def describe_access(document: dict[str, Any], routes: Sequence[BaseRoute]) -> None:
    """Write into an OpenAPI document who may call each operation: `x-permissions`, `x-roles` and a sentence."""
    for name, asked in permissions_by_route(routes).items():
        methods, _, path = name.partition(" ")
        operations = document["paths"].get(path.replace(":path}", "}"), {})
        for method in methods.lower().split(","):
            if asked and method in operations:
                operation, roles = operations[method], sorted(map(str, roles_that(*asked)))
                operation["x-permissions"], operation["x-roles"] = sorted(asked), roles
                told = "Any role." if len(roles) == len(Role) else f"Roles: {', '.join(f'`{role}`' for role in roles)}."
                operation["description"] = f"{operation.get('description', '').rstrip()}\n\n{told}".strip()


def rendered(routes: Sequence[BaseRoute]) -> str:
    """The page with all matrices: role × permission, role × class and attribute, route × role."""
    roles = list(Role)
    page = [
        "# Access matrix",
        "Written by `python -m api.matrix` from the policy table (`mdm/access/roles.py`), the catalogue of attributes "
        "and the routes of the application; `make check` compares. What it means is in [access.md](access.md).",
        "## Roles",
        _table(("role", "for", "sees values up to"),
               [(f"`{role}`", grant.purpose, grant.sees.value) for role, grant in POLICY.items()]),
        f"Other names: {', '.join(f'`{name}` is `{role}`' for name, role in ALIASES.items())}.",
        "## Permissions",
        _table(("permission", "what", *map(str, roles)),
               [(f"`{each}`", MEANINGS[each], *_ticks(role.may(each) for role in roles)) for each in Permission]),
        "## Values",
        _table(("class", *map(str, roles), "attributes"),
               [(each.value, *_ticks(may_see(role, each) for role in roles), _attributes(each)) for each in DataClass]),
        "## Routes",
        "A route takes all of its permissions. Routes without one answer everybody; each is listed with its reason in "
        "`api/app.py`.",
        _table(("route", "permissions", *map(str, roles)), [
            (f"`{name}`", ", ".join(sorted(asked)), *_ticks(role in roles_that(*asked) for role in roles))
            for name, asked in permissions_by_route(routes).items()
            if asked
        ]),
    ]  # fmt: skip
    return "\n\n".join(page) + "\n"


def _asked(dependant: Dependant) -> Iterator[Permission]:
    """The permissions that a route and what it depends on ask for."""
    if isinstance(dependant.call, Guard):
        yield dependant.call.permission
    for each in dependant.dependencies:
        yield from _asked(each)


def _attributes(data_class: DataClass) -> str:
    named = {domain: [each.name for each in ATTRIBUTES[domain] if each.data_class is data_class] for domain in Domain}
    return "; ".join(f"{domain.value}: {', '.join(names)}" for domain, names in named.items() if names)


def _ticks(held: Iterator[bool]) -> list[str]:
    return ["x" if each else "" for each in held]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def main(arguments: Sequence[str]) -> int:
    """Write or check the committed page; the exit code says whether they agree."""
    from api.app import ApiOptions, assemble

    return write_or_check(arguments, {COMMITTED: rendered(assemble(ApiOptions()).routes)}, module="api.matrix")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
