"""The close of a month over HTTP: what must be in order first, and the signatures of two persons.

The same use cases as in the console and on the command line (`mdm.hub.closing`).
"""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Response

from api.auth import CallerDep, allows
from api.idempotency import OnceRoute
from api.last_run import last_run
from api.routes.responses import CHECKED, COMMANDED, GUARDED
from api.routes.stewardship import DeskDep, PolicyDep, actor_of
from api.schemas.closes import CloseForm, Signing
from api.wire import answer
from mdm.access import Permission
from mdm.core.four_eyes import Policy
from mdm.hub import closing
from mdm.hub.steward.workplace import Workplace
from mdm.hub.worklist import rank_new_tasks
from mdm.lifecycle.close import Close
from mdm.lifecycle.sign_off import SignOff, changed_since

router = APIRouter(
    route_class=OnceRoute,
    prefix="/v1/closes",
    tags=["close"],
    dependencies=[Depends(allows(Permission.INSPECT))],
    responses={**GUARDED, **CHECKED},
)
confirming = [Depends(allows(Permission.CONFIRM))]
approving = [Depends(allows(Permission.APPROVE))]

Month = Annotated[
    str, Path(pattern=r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])$", description="A month, like 2026-10.", examples=["2026-10"])
]


@router.get("/{month}", name="get_close", summary="The close of a month", response_model=CloseForm)
def get_close(month: Month, desk: DeskDep, policy: PolicyDep) -> Response:
    """The checklist by what is known now, who signed it, and what has changed since."""
    return _told(desk, month, policy)


@router.post(
    "/{month}/prepare", name="prepare_close", dependencies=confirming,
    summary="Sign as the first person", response_model=CloseForm, responses=COMMANDED,
)  # fmt: skip
def prepare(
    month: Month,
    caller: CallerDep,
    desk: DeskDep,
    policy: PolicyDep,
    signing: Annotated[Signing | None, Body()] = None,
) -> Response:
    """After the month has ended, and once. Points may be open when a comment says why."""
    books = _books(desk, month, policy)
    closing.prepare(desk, actor_of(caller), books.close, books.points, signing.comment if signing else "")
    return _told(desk, month, policy)


@router.post(
    "/{month}/review", name="review_close", dependencies=approving,
    summary="Sign as the second person", response_model=CloseForm, responses=COMMANDED,
)  # fmt: skip
def review(
    month: Month,
    caller: CallerDep,
    desk: DeskDep,
    policy: PolicyDep,
    signing: Annotated[Signing | None, Body()] = None,
) -> Response:
    """The month is closed. 403 for who prepared it, 409 when the checklist says something else by now."""
    books = _books(desk, month, policy)
    closing.review(desk, actor_of(caller), books.close, books.points, signing.comment if signing else "")
    return _told(desk, month, policy)


@router.post(
    "/{month}/withdraw", name="withdraw_close", dependencies=confirming,
    summary="Take the signatures back", response_model=CloseForm, responses=COMMANDED,
)  # fmt: skip
def withdraw(
    month: Month, caller: CallerDep, desk: DeskDep, policy: PolicyDep, signing: Annotated[Signing, Body()]
) -> Response:
    """The month is open again; the comment says why. Signatures that were taken back stay in the answer."""
    closing.withdraw(desk, actor_of(caller), _close(desk, month), signing.comment)
    return _told(desk, month, policy)


def _close(desk: Workplace, month: str) -> Close:
    return closing.close_named(month, desk.clock().date(), desk.rules.reconciliation)


def _books(desk: Workplace, month: str, policy: Policy | None) -> closing.Books:
    now = desk.clock()
    rank_new_tasks(desk.engine, desk.rules, now, policy)
    return closing.books_of(desk, _close(desk, month), last_run.of(desk.engine, now))


def _told(desk: Workplace, month: str, policy: Policy | None) -> Response:
    books = _books(desk, month, policy)
    signed = closing.signatures(desk, month)
    standing = next((each for each in signed if each.stands), None)
    advice = [each.advice for each in books.items]
    changed = changed_since(standing.points, books.points) if standing is not None else []
    close = books.close
    return answer(
        {
            "month": close.month, "first": close.first, "last": close.last, "due": close.due,
            "as_of": last_run.of(desk.engine, desk.clock()).as_of,
            "points": [
                {**asdict(point), "advice": text} for point, text in zip(books.points, advice, strict=True)
            ],
            "standing": _signature(standing) if standing is not None else None,
            "changed": [{"title": title, "then": then, "now": now} for title, then, now in changed],
            "before": [_signature(each) for each in signed if not each.stands],
        }
    )  # fmt: skip


def _signature(signed: SignOff) -> dict[str, Any]:
    return {name: value for name, value in asdict(signed).items() if name != "month"}
