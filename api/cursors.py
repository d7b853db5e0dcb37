"""Opaque cursors: where a page ended, and which list it belongs to.

A cursor carries no secret and no right: it is checked, not signed. Everything it says could also be asked for openly.
"""

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Sequence

from api.errors import INVALID_CURSOR, ProblemRaised, refuse

#: Longest cursor, in characters: room for a source row's key of several hundred.
MAX_CURSOR = 1024
_LARGEST = 2**63 - 1


def write_cursor(scope: str, place: Sequence[int | float | str]) -> str:
    """A cursor for `place` in the list that `scope` names (path and filters, in any text form)."""
    content = json.dumps([_fingerprint(scope), *place], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def read_cursor(cursor: str, scope: str, form: Sequence[type]) -> list[int | float | str]:
    """The place a cursor stands for; `form` lists the types of its parts.

    Raises:
        ProblemRaised: `invalid-cursor`, when it is damaged or was made for another list.
    """
    if len(cursor) > MAX_CURSOR:
        raise _invalid()
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        content = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, UnicodeError, ValueError, RecursionError):
        raise _invalid() from None
    if not isinstance(content, list) or len(content) != len(form) + 1 or content[0] != _fingerprint(scope):
        raise _invalid()
    place = content[1:]
    for part, expected in zip(place, form, strict=True):
        if type(part) is not expected or not _can_be_asked(part):
            raise _invalid()
    return place


def _can_be_asked(part: object) -> bool:
    """Whether the database has such a value: whole numbers of 64 bits, finite ones, texts of UTF-8 without NUL."""
    if isinstance(part, int):
        return abs(part) <= _LARGEST
    if isinstance(part, float):
        return math.isfinite(part)
    try:
        return isinstance(part, str) and b"\0" not in part.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON may write as an escape
        return False


def _fingerprint(scope: str) -> str:
    return hashlib.sha256(scope.encode()).hexdigest()[:8]


def _invalid() -> ProblemRaised:
    return refuse(INVALID_CURSOR, "This cursor was not made by this list with these filters.")
