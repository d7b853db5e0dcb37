"""What is attached to one golden record besides its values: what is open about it, and who has read it."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from api.access_log import AccessLog
from api.console.guard import SessionDep, needs, signed_in
from api.console.pages import page
from api.console.queue import KINDS
from api.console.reconciliation import read_place
from api.console.records import DOMAINS, Plural, head_of
from api.console.workbench import WorkbenchDep
from api.cursors import read_cursor, write_cursor
from api.deps import ReadsDep
from api.last_run import last_run
from api.lookup import find_golden
from api.routes.parameters import Cursor, EntityIdPath, Parameters
from mdm.access import Permission
from mdm.core.worklist import due_state
from mdm.model.ids import CrosswalkKey
from mdm.store.access_log import KEPT, readers_of
from mdm.store.list_access import listed_to
from mdm.store.read_attached import letters_about, questions_about, rejected_of
from mdm.store.read_models import absorbed_ids

router = APIRouter(prefix="/console", include_in_schema=False, dependencies=[Depends(signed_in)])

_ROWS, _READERS = 50, 200


class OpenParameters(Parameters):
    """Where the page before ended: of questions, of findings, of refused messages, of rows with rejected values."""

    questions: Cursor | None = None
    findings: Cursor | None = None
    letters: Cursor | None = None
    rejected: Cursor | None = None


@router.get("/{plural}/{id}/exceptions", dependencies=[needs(Permission.INSPECT)])
def open_about(
    plural: Plural,
    id: EntityIdPath,
    look: Annotated[OpenParameters, Query()],
    request: Request,
    session: SessionDep,
    bench: WorkbenchDep,
    reads: ReadsDep,
) -> Response:
    """Questions, disagreements, refused messages and rejected values of one record, some at a time."""
    scope = f"open {id}"
    asked = int(read_cursor(look.questions, scope, (int,))[0]) if look.questions else 0
    letter = read_cursor(look.letters, scope, (int, int)) if look.letters else None
    row_after = CrosswalkKey(*map(str, read_cursor(look.rejected, scope, (str, str, str)))) if look.rejected else None
    finding = read_place(look.findings, scope) if look.findings else None
    with reads.snapshot() as connection:
        row = find_golden(connection, request, DOMAINS[plural], id)
        head = head_of(connection, row, bench)
        questions = questions_about(connection, row.entity_id, _ROWS + 1, asked)
        past = (bool(letter[0]), int(letter[1])) if letter is not None else None
        letters = letters_about(connection, row.entity_id, _ROWS + 1, past)
        rejected = rejected_of(connection, row.entity_id, _ROWS + 1, row_after)
    known = last_run.known(bench.engine, bench.now)
    findings = known.overview.about(row.entity_id).behind(finding, _ROWS + 1) if known is not None else None
    more: dict[str, list[tuple[Any, ...]]] = {
        "questions": [(each.task_id,) for each in questions],
        "letters": [(int(each.status != "open"), each.letter_id) for each in letters],
        "rejected": [tuple(key) for key, _ in rejected],
        "findings": [known.overview.place_of(each) for each in findings or ()] if known is not None else [],
    }
    return page(
        "open_about.html",
        request,
        session=session,
        tab="exceptions",
        head=head,
        now=bench.now,
        questions=[
            (each, due_state(each.due_at or bench.now + timedelta(days=9), bench.now)) for each in questions[:_ROWS]
        ],
        kinds=KINDS,
        letters=letters[:_ROWS],
        rejected=rejected[:_ROWS],
        findings=findings[:_ROWS] if findings is not None else None,
        look=look,
        following={
            name: write_cursor(scope, places[_ROWS - 1]) if len(places) > _ROWS else "" for name, places in more.items()
        },
        as_of=known.found.as_of if known is not None else None,
    )


@router.get("/{plural}/{id}/access", dependencies=[needs(Permission.AUDIT)])
def access(
    plural: Plural, id: EntityIdPath, request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep
) -> Response:
    """Who has read this record with the clearance for confidential values, by itself or among others."""
    log: AccessLog = request.app.state.access_log
    log.write()
    with reads.snapshot() as connection:
        row = find_golden(connection, request, DOMAINS[plural], id)
        head = head_of(connection, row, bench)
        ids = [row.entity_id, *absorbed_ids(connection, row.entity_id)]
    # What keys and accounts are called is nobody's to read; the record itself was found within the person's reach.
    with reads.own().snapshot() as connection:
        readers = readers_of(connection, ids, bench.now - KEPT, _READERS)
        listings = listed_to(connection, ids, bench.now - KEPT, _READERS)
    return page(
        "access.html",
        request,
        session=session,
        tab="access",
        head=head,
        now=bench.now,
        readers=readers,
        listings=listings,
        me=session.caller.key_id,
        days=KEPT.days,
        at_most=_READERS,
    )
