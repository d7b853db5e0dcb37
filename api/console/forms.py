"""Forms: read once, refused when they do not carry the session's own token."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Annotated

from fastapi import Depends, Request

from api.console import once
from api.console.guard import SessionDep, came_from_here, read_fields
from api.console.sessions import PERSON, Session
from api.errors import FORBIDDEN, refuse
from mdm.errors import Invalid

#: Of a form that holds a document or a message, in bytes: what the API takes of the same.
MOST_BYTES = 1 << 20


class Form:
    """The fields of a form that the session itself sent."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def text(self, name: str, default: str = "") -> str:
        """The first value of a field, without white space around it."""
        return self._fields.get(name, [default])[0].strip()

    def document(self, name: str) -> str:
        """A text of many lines as it was written: browsers send lines that end in CR LF, and a document ends with a
        line end. Empty when the field is."""
        text = self.text(name).replace("\r\n", "\n")
        return f"{text}\n" if text else ""

    def person(self, name: str) -> str:
        """Who a field names, as history knows them: a bare name is that of an account."""
        text = self.text(name)
        return text if not text or ":" in text else f"{PERSON}{text.lower()}"

    def day_end(self, name: str) -> datetime | None:
        """The end of the day that a field names; None when it is empty.

        Raises:
            Invalid: it names no day.
        """
        return day_end(self.text(name))

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return self._fields.get(name, [])

    def number(self, name: str) -> int | None:
        """A whole number, or None when the field is empty or something else."""
        text = self.text(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    def numbers(self, name: str) -> list[int]:
        """The whole numbers among the values of a field."""
        return [int(text) for text in self.all(name) if text.isascii() and text.isdigit() and len(text) < 19]

    def prefixed(self, prefix: str) -> dict[str, str]:
        """Fields whose name begins so, without the beginning."""
        return {
            name.removeprefix(prefix): values[0] for name, values in self._fields.items() if name.startswith(prefix)
        }


def day_end(written: str) -> datetime | None:
    """The end of a day as forms write it; None when nothing is written.

    Raises:
        Invalid: it is no day.
    """
    if not written:
        return None
    try:
        return datetime.combine(datetime.fromisoformat(written).date(), time.max, UTC)
    except ValueError as error:
        raise Invalid("The date is not understood.", action="Write it as year-month-day.") from error


class FormOutlived(Exception):
    """A form of our own pages carries the token of another session, which ended meanwhile.

    Nothing was carried out. Who is signed in now is shown what it holds and may send it again.
    """

    def __init__(self, session: Session, sent: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.session, self.sent = session, sent


async def own_form(request: Request, session: SessionDep) -> Form:
    """The form of a request.

    Raises:
        SentBefore: it is the same that was sent before from the same page.
        FormOutlived: a page of ours sent it that was made in another session.
        ProblemRaised: it carries no token of a session, so somebody else may have made the browser send it.
    """
    fields = await read_fields(request)
    token = fields.get("csrf", [""])[0]
    if not secrets.compare_digest(once.of_session(token).encode(), session.csrf.encode()):
        if came_from_here(request):
            raise FormOutlived(session, fields)
        raise refuse(FORBIDDEN, "The form does not belong to this session. Open the page again and repeat.")
    await once.claim(request, session)
    return Form(fields)


FormDep = Annotated[Form, Depends(own_form)]
