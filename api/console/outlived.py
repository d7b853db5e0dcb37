"""A form that outlived its session: nothing of it was carried out, and nothing that was written is lost.

Without a session the page keeps what was sent until somebody has signed in; with another one it shows what it holds,
and who is signed in now may send it. It is never sent by itself: the rights and the person may be others.
"""

from collections.abc import Mapping, Sequence

from fastapi import Request, Response

from api.console.forms import FormOutlived
from api.console.guard import SignInNeeded, page_before
from api.console.notices import Notice
from api.console.once import SentBefore
from api.console.pages import page
from api.console.wording import proposal

#: What a form carries for the hub, not for people.
_FOR_THE_HUB = ("csrf", "token", "current", "digest")
Fields = Sequence[tuple[str, str]]


def signed_out_page(request: Request, needed: SignInNeeded) -> Response:
    """The session is over: how to sign in without losing what was sent."""
    fields = _flat(needed.sent or {})
    return page(
        "signed_out.html", request, status=401, address=_address(request), sign_in=needed.address, fields=fields,
        shown=_shown(fields),
    )  # fmt: skip


def send_again_page(request: Request, form: FormOutlived) -> Response:
    """Somebody is signed in, but the form is older than that: what it holds, to be sent or left."""
    fields = [each for each in _flat(form.sent) if each[0] != "csrf"]
    return page(
        "send_again.html", request, status=403, session=form.session, address=_address(request),
        back=page_before(request), fields=fields, shown=_shown(fields),
    )  # fmt: skip


def sent_before_page(request: Request, form: SentBefore) -> Response:
    """The same form was sent before, and its answer was shown once or is not there yet."""
    text = "This very form was sent before from the same page. It is carried out once: go on to see what became of it."
    return page(
        "told.html", request, status=409, session=form.session, notice=Notice(text), back=page_before(request),
        heading="This was sent before",
    )  # fmt: skip


def _address(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _flat(sent: Mapping[str, Sequence[str]]) -> Fields:
    return [(name, value) for name, values in sent.items() for value in values]


def _shown(fields: Fields) -> Fields:
    told = [each for each in fields if each[0] not in _FOR_THE_HUB and each[1].strip()]
    return [(name, proposal(value) if name == "verdict" else value) for name, value in told]
