"""A step that a form asks for: it is taken and leads on, or the page it came from says why not."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from starlette.responses import RedirectResponse

from api.console.notices import TELLABLE, Notice, refused
from mdm.errors import Invalid, MdmError, Refused


async def _last_word(request: Request) -> str:
    return request.url.path.rpartition("/")[2]


#: The last word of an address: which of several steps, where each has a route that says who may take it.
StepDep = Annotated[str, Depends(_last_word)]


def step(
    action: Callable[[], Any],
    following: str,
    again: Callable[[Notice, int], Response],
    tellable: tuple[type[MdmError], ...] = TELLABLE,
) -> Response:
    """Take a step.

    Args:
        following: the address that a step taken leads to.
        again: the page that the form is on, with a notice and a status.
        tellable: errors that a person can do something about.
    """
    try:
        action()
    except tellable as error:
        return again(refused(error), status_of(error))
    return RedirectResponse(following, 303)


def status_of(error: MdmError) -> int:
    """The status of a page that says why a step was not taken."""
    return 403 if isinstance(error, Refused) else 422 if isinstance(error, Invalid) else 409
