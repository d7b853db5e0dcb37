"""Document numbers as people and interfaces re-type them."""

import re

_SERIES = re.compile(r"^[a-z]+(?=\d{6,}$)")
#: A year and its counter, which signs or zeros part.
_COUNTED = re.compile(r"(?:([a-z]{1,6})[^0-9a-z]*)?((?:19[89]|20[0-4])\d)(?:[^0-9a-z]+0*|0+)(\d{1,6})")
#: The counter of a year is written with so many digits at least.
_COUNTER = 6


def number_forms(text: str | None) -> frozenset[str]:
    """The forms under which a document number may be met again: letters and digits only, with and without its prefix.

    `INV-2024-000007` is met as `2024-000007` and as `INV-2024-7`, but a prefix stays where fewer than six digits would
    be left to name the document.
    """
    if text is None:
        return frozenset()
    number = folded(text)
    forms = {number, _SERIES.sub("", number)}
    if (counted := _COUNTED.fullmatch(text.strip().casefold())) is not None:
        filled = counted[2] + counted[3].zfill(_COUNTER)
        forms |= {filled, (counted[1] or "") + filled}
    return frozenset(forms - {""})


def folded(text: str) -> str:
    """Letters and digits only, in lower case."""
    return re.sub(r"[^0-9a-z]", "", text.casefold())
