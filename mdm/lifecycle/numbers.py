"""Document numbers as people and interfaces re-type them."""

import re

_SERIES = re.compile(r"^[a-z]+(?=\d{6,}$)")


def number_forms(text: str | None) -> frozenset[str]:
    """The forms under which a document number may be met again: letters and digits only, with and without its prefix.

    `INV-2024-000007` is met as `2024-000007`, but a prefix stays where fewer than six digits would be left to name the
    document.
    """
    if text is None:
        return frozenset()
    number = folded(text)
    return frozenset({number, _SERIES.sub("", number)} - {""})


def folded(text: str) -> str:
    """Letters and digits only, in lower case."""
    return re.sub(r"[^0-9a-z]", "", text.casefold())
