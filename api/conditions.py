"""`If-Match`: the entity tags that a change is conditional on (RFC 9110, 13.1.1).

A list of tags is met by any of them, `*` by whatever there is. Weak tags are taken for what they name, as FHIR and
OData clients send them: a tag here changes with every change that commands can conflict with.
"""

import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Header, Request

from api.errors import UNCONDITIONAL, refuse
from api.schemas.given import Storable

CONDITION = "The entity tag of what you looked at, or several, or `*`; 412 when it has changed."
_LONGEST = 1000

#: A condition that a route insists on; `must_state(...)` says so before anything else is looked at.
IfMatch = Annotated[Storable, Header(alias="If-Match", min_length=1, max_length=_LONGEST, description=CONDITION)]
#: A condition that some commands of a route insist on.
IfMatchWhereNeeded = Annotated[
    Storable | None,
    Header(
        alias="If-Match",
        max_length=_LONGEST,
        description=f"{CONDITION} Needed by commands about a task or about a golden record that they name.",
    ),
]

#: A condition that nobody insists on.
IfMatchOrNot = Annotated[
    Storable | None, Header(alias="If-Match", min_length=1, max_length=_LONGEST, description=CONDITION)
]

_TAG = re.compile(r'\s*(?:W/)?(?:"([^"]*)"|([^\s",*]+))\s*(?:,|$)')


def tags_in(condition: str) -> frozenset[str] | None:
    """The tags of a condition without quotes; None for `*`. What is no list of tags has none that could be met."""
    if condition.strip() == "*":
        return None
    found, place = [], 0
    while place < len(condition):
        tag = _TAG.match(condition, place)
        if tag is None:
            return frozenset()
        found.append(tag[1] if tag[1] is not None else tag[2])
        place = tag.end()
    return frozenset(found)


def must_state(subject: str) -> Callable[[Request], Coroutine[Any, Any, None]]:
    """A dependency: a change of such a thing is refused (428) when it names no state of it."""

    async def stated(request: Request) -> None:
        if not request.headers.get("if-match"):
            raise refuse(UNCONDITIONAL, f"The header `If-Match` is missing: send the entity tag of the {subject}.")

    return stated
