"""Time travel: every version of a golden record, any two of them side by side, and how to have one back."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field, field_validator
from starlette.responses import RedirectResponse

from api.console.deciding import TELLABLE
from api.console.diff import segments
from api.console.forms import FormDep
from api.console.guard import SessionDep, signed_in
from api.console.notices import Notice, outcome, proposed, refused, sentence, told
from api.console.pages import page
from api.console.records import DOMAINS, Plural, head_of
from api.console.sessions import Session
from api.console.show import label, lines
from api.console.workbench import Workbench, WorkbenchDep
from api.deps import Reads, ReadsDep
from api.lookup import find_golden, find_state
from api.masking import show_values
from api.present import history_objects
from api.routes.parameters import EntityIdPath, Parameters
from mdm.access import Role
from mdm.hub.steward import Expected
from mdm.model.ids import EntityId
from mdm.model.stewardship import Restore
from mdm.store.read_models import GoldenRow, golden_known_at, golden_versions
from mdm.store.read_review import decisions_about

router = APIRouter(prefix="/console", include_in_schema=False, dependencies=[Depends(signed_in)])

_VERSIONS, _DECISIONS = 50, 20


class HistoryParameters(Parameters):
    """Which versions to compare, or the instant to go back to."""

    a: int | None = Field(None, ge=1, lt=1 << 31)
    b: int | None = Field(None, ge=1, lt=1 << 31)
    known_at: datetime | None = None
    done: int | None = Field(None, ge=0, lt=1 << 62)
    proposed: int | None = Field(None, ge=0, lt=1 << 62)

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value


@router.get("/{plural}/{id}/history")
def history(
    plural: Plural,
    id: EntityIdPath,
    look: Annotated[HistoryParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """The versions as a timeline."""
    return _history_page(plural, id, look, request, session, bench, reads)


@router.post("/{plural}/{id}/restore")
def restore(
    plural: Plural,
    id: EntityIdPath,
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
    form: FormDep,
) -> Response:
    """Have the values of a version again, as a new version."""
    version, current = form.number("version"), form.number("current")
    expected = Expected(versions={EntityId(id): current} if current is not None else {})
    try:
        command = Restore(EntityId(id), version or 0, form.text("reason"))
        done = bench.decide(command, expected)
    except TELLABLE as error:
        look = HistoryParameters.model_validate({"a": version, "b": current})
        return _history_page(plural, id, look, request, session, bench, reads, refused(error), 409)
    return RedirectResponse(f"/console/{plural}/{id}/history?{outcome(done)}", 303)


def _history_page(
    plural: Plural,
    id: str,
    look: HistoryParameters,
    request: Request,
    session: Session,
    bench: Workbench,
    reads: Reads,
    notice: Notice | None = None,
    status: int = 200,
) -> Response:
    domain = DOMAINS[plural]
    with reads.snapshot() as connection:
        find_state(connection, domain, id)
        row = find_golden(connection, request, domain, id)
        head = head_of(connection, row, bench.role)
        versions = golden_versions(connection, id, None, _VERSIONS + 1)
        decisions = decisions_about(connection, id, _DECISIONS)
        notice = notice or told(connection, look.done) or proposed(look.proposed)
        instant = look.known_at.replace(tzinfo=look.known_at.tzinfo or UTC) if look.known_at else None
        then = golden_known_at(connection, domain, id, instant) if instant is not None else None
    by_number = {each.version: each for each in versions}
    newest = versions[0].version
    left = by_number.get(look.a or (then.version if then else max(1, newest - 1)))
    right = by_number.get(look.b or newest)
    return page(
        "history.html",
        request,
        session=session,
        status=status,
        tab="history",
        head=head,
        now=bench.now,
        entries=history_objects(versions, _VERSIONS, bench.role),
        left=left,
        right=right,
        compared=_compared(left, right, bench.role) if left is not None and right is not None else None,
        instant=instant,
        then=then,
        decisions=[(each, sentence(each)) for each in decisions],
        notice=notice,
    )


def _compared(left: GoldenRow, right: GoldenRow, role: Role) -> list[dict[str, Any]]:
    """Attributes that differ between two versions, letter by letter."""
    before, after = (show_values(each.domain, each.values, role).values for each in (left, right))
    found = []
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) == after.get(name):
            continue
        old = [line.text for line in lines(left.domain, name, before.get(name))]
        new = [line.text for line in lines(left.domain, name, after.get(name))]
        found.append(
            {
                "label": label(name),
                "before": [segments(text, new) for text in old],
                "after": [segments(text, old) for text in new],
            }
        )
    return found
