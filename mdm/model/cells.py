"""Cells of tables that people open in a spreadsheet, which takes a text that begins like a formula for one."""

import re
from typing import Any, Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_NEGATIVE: Final = re.compile(r"-\d+(\.\d+)?")


def harmless(value: Any) -> Any:  # Any: whatever stands in a cell
    """The value; a text that a spreadsheet would take for a formula begins with an apostrophe. A number is none."""
    if isinstance(value, str) and value.startswith(_FORMULA) and not _NEGATIVE.fullmatch(value):
        return f"'{value}"
    return value
