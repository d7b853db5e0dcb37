"""Saved views of the review queue: kept per person."""

from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Response
from pydantic import ValidationError
from starlette.responses import RedirectResponse

from api.console.forms import FormDep
from api.console.guard import needs, signed_in
from api.console.once import FormRoute
from api.console.queue import QueueParameters
from api.console.workbench import WorkbenchDep
from api.routes.parameters import NumberPath
from mdm.access import Permission
from mdm.errors import Invalid
from mdm.store import console_views
from mdm.store.scoped import unrestricted

router = APIRouter(route_class=FormRoute, prefix="/console", include_in_schema=False, dependencies=[Depends(signed_in)])


@router.post("/views", dependencies=[needs(Permission.INSPECT)])
def save(bench: WorkbenchDep, form: FormDep) -> Response:
    """Give the filters of the queue a name.

    Raises:
        Invalid: those are no filters of the queue; a view of them would lead to an error for ever.
    """
    try:
        query = QueueParameters.model_validate(dict(parse_qsl(form.text("query")))).query
    except ValidationError as error:
        raise Invalid(
            "These are no filters of the queue.", action="Set them on the page, and save it again."
        ) from error
    with unrestricted(bench.engine).begin() as connection:
        console_views.save_view(connection, bench.actor.name, form.text("name"), query)
    return RedirectResponse(f"/console/reviews?{query}", 303)


@router.post("/views/{view_id:int}/delete", dependencies=[needs(Permission.INSPECT)])
def delete(view_id: NumberPath, bench: WorkbenchDep, form: FormDep) -> Response:  # noqa: ARG001 - the form carries the token
    """Forget a view."""
    with unrestricted(bench.engine).begin() as connection:
        console_views.delete_view(connection, bench.actor.name, view_id)
    return RedirectResponse("/console/reviews", 303)
