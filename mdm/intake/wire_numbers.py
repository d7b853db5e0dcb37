"""Floating-point numbers of decoded Avro as the JSON converter would have written them.

Two things differ: numbers that JSON does not have become the texts `NaN` and `Infinity`, and a number of 32 bits has
the shortest digits that name it, not those of its neighbour among the numbers of 64 bits.
"""

import contextlib
import math
import struct
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

#: A decoded value to the same value with its numbers told as JSON.
Teller: TypeAlias = Callable[[Any], Any]
_FLOATS = ("float", "float32")
_DOUBLES = ("double", "float64")


def teller(schema: Mapping[str, Any]) -> Teller | None:
    """What to do with values of this Connect schema; None when no floating-point number can be in them."""
    kind = schema["type"]
    if kind in _FLOATS:
        return _tell_float
    if kind in _DOUBLES:
        return _tell
    if kind == "array":
        inner = teller(schema["items"])
        return None if inner is None else lambda values: values and [inner(each) for each in values]
    if kind == "struct":
        inside = {field["field"]: found for field in schema["fields"] if (found := teller(field)) is not None}
        return _struct_teller(inside) if inside else None
    return None


def _struct_teller(inside: Mapping[str, Teller]) -> Teller:
    def tell(value: Any) -> Any:
        if value is None:
            return None
        return {**value, **{name: told(value[name]) for name, told in inside.items()}}

    return tell


def _tell(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _tell_float(value: float | None) -> float | str | None:
    if value is None or not math.isfinite(value):
        return _tell(value)
    for digits in (6, 7, 8):
        short = float(f"{value:.{digits}g}")
        with contextlib.suppress(OverflowError):  # rounded up beyond the greatest number of 32 bits
            if struct.unpack("f", struct.pack("f", short))[0] == value:
                return short
    return float(f"{value:.9g}")
