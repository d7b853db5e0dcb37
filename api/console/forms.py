"""Forms: read once, refused when they do not carry the session's own token."""

import secrets
from datetime import UTC, datetime, time
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, Request

from api.console.guard import SessionDep
from api.console.sessions import PERSON
from api.errors import FORBIDDEN, MALFORMED, refuse
from mdm.errors import Invalid

#: A confirm page of a bulk decision sends one field per task.
_MOST_FIELDS = 1200


class Form:
    """The fields of a form that the session itself sent."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def text(self, name: str, default: str = "") -> str:
        """The first value of a field, without white space around it."""
        return self._fields.get(name, [default])[0].strip()

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


async def read_fields(request: Request) -> dict[str, list[str]]:
    """The fields of a form. The body's size is limited by the application.

    Raises:
        ProblemRaised: there are more fields than any form of the console has, or one holds a NUL character.
    """
    text = (await request.body()).decode("utf-8", "replace")
    # No browser sends it, and no text in the database can hold it.
    if "%00" in text or "\0" in text:
        raise refuse(MALFORMED, "A field of the form holds a NUL character.")
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise refuse(FORBIDDEN, "The form has more fields than any form of the console.") from error


async def own_form(request: Request, session: SessionDep) -> Form:
    """The form of a request.

    Raises:
        ProblemRaised: it does not carry the token of the session, so somebody else may have made the browser send it.
    """
    fields = await read_fields(request)
    token = fields.get("csrf", [""])[0]
    if not secrets.compare_digest(token.encode(), session.csrf.encode()):
        raise refuse(FORBIDDEN, "The form does not belong to this session. Open the page again and repeat.")
    return Form(fields)


FormDep = Annotated[Form, Depends(own_form)]
