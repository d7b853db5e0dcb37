"""Readers: from the JSON value of a connector to the canonical JSON form of a column.

Canonical forms print as PostgreSQL prints them, so that a row in the hub can be compared with the source table:

- decimal: text with the column's scale; date: `YYYY-MM-DD`; time: `HH:MM:SS.ffffff`
- timestamp without zone: `YYYY-MM-DDTHH:MM:SS.ffffff`; with zone: the same in UTC and `Z`
- json: its text, untouched; bytes: `\\x` and hex digits; arrays: lists; numbers, booleans and text as they are

A reader raises `Unreadable` for a value of another kind; it never sees a null.
"""

import base64
import binascii
import re
from decimal import Context, Decimal, InvalidOperation
from typing import Final

from mdm.intake.moments import read_zoned, read_zoned_time
from mdm.intake.reading import JsonValue, Reader, Unreadable
from mdm.intake.types import ColumnType, Kind

_DECIMAL: Final = re.compile(r"-?\d+(\.\d+)?")
#: PostgreSQL keeps at most 131,072 digits before the point; an exponent beyond is an attack on memory, not a number.
_MOST_DIGITS: Final = 131_072
#: Room for every double at every scale.
_WIDE: Final = Context(prec=1_400)
_SPECIAL_DECIMALS: Final = {
    "NAN": "NaN",
    "NaN": "NaN",
    "POSITIVE_INFINITY": "Infinity",
    "Infinity": "Infinity",
    "NEGATIVE_INFINITY": "-Infinity",
    "-Infinity": "-Infinity",
}


def read_text(value: JsonValue) -> JsonValue:
    if type(value) is not str:
        raise Unreadable
    return value


def read_boolean(value: JsonValue) -> JsonValue:
    if type(value) is not bool:
        raise Unreadable
    return value


def read_integer(value: JsonValue) -> JsonValue:
    if type(value) is not int:
        raise Unreadable
    return value


def read_unsigned(value: JsonValue) -> JsonValue:
    """MySQL's bigint unsigned: a 64-bit integer whose upper half wraps to negative, or base64 of the whole number."""
    if type(value) is int:
        return value if value >= 0 else value + 2**64
    return _unscaled(value)


def read_float(value: JsonValue) -> JsonValue:
    if type(value) is int or type(value) is float:
        return value
    # JSON has no NaN: the connector writes a text.
    if value in ("NaN", "Infinity", "-Infinity"):
        return value
    raise Unreadable


def read_interval(value: JsonValue) -> JsonValue:
    """ISO 8601 text or microseconds, by interval.handling.mode; the latter has lost the months."""
    if type(value) is not str and type(value) is not int:
        raise Unreadable
    return value


def read_decimal_text(value: JsonValue) -> str:
    if type(value) is not str:
        raise Unreadable
    if _DECIMAL.fullmatch(value):
        return value
    special = _SPECIAL_DECIMALS.get(value)
    if special is not None:
        return special
    try:
        number = Decimal(value)
    except InvalidOperation as fault:
        raise Unreadable from fault
    if abs(number.adjusted()) > _MOST_DIGITS:
        raise Unreadable
    return format(number, "f")


def decimal_from_float(scale: int | None) -> Reader:
    """decimal.handling.mode=double: digits beyond a double's precision are lost at the source."""

    def read(value: JsonValue) -> str:
        if type(value) is str and value in _SPECIAL_DECIMALS:
            return _SPECIAL_DECIMALS[value]
        if type(value) is not float and type(value) is not int:
            raise Unreadable
        number = Decimal(repr(value))
        return format(number if scale is None else number.quantize(Decimal(1).scaleb(-scale), context=_WIDE), "f")

    return read


def decimal_from_unscaled(scale: int) -> Reader:
    """decimal.handling.mode=precise: base64 of the unscaled integer, big-endian two's complement."""

    def read(value: JsonValue) -> str:
        return _decimal(_unscaled(value), scale)

    return read


def read_decimal_with_scale(value: JsonValue) -> str:
    """The `{"scale", "value"}` of a numeric without declared scale."""
    if type(value) is not dict or type(value.get("scale")) is not int:
        raise Unreadable
    return _decimal(_unscaled(value.get("value")), value["scale"])


def _unscaled(value: JsonValue) -> int:
    if type(value) is not str:
        raise Unreadable
    try:
        return int.from_bytes(binascii.a2b_base64(value, strict_mode=True), "big", signed=True)
    except (binascii.Error, ValueError) as fault:
        raise Unreadable from fault


def _decimal(unscaled: int, scale: int) -> str:
    if abs(scale) > _MOST_DIGITS:
        raise Unreadable
    if scale <= 0:
        return str(unscaled * 10**-scale)
    digits = str(abs(unscaled)).rjust(scale + 1, "0")
    return f"{'-' if unscaled < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"


def bytes_from(encoding: str) -> Reader:
    """binary.handling.mode: bytes and base64 are base64, base64-url-safe its other alphabet, hex is hex."""

    def read(value: JsonValue) -> str:
        if type(value) is not str:
            raise Unreadable
        try:
            if encoding == "hex":
                content = bytes.fromhex(value)
            elif encoding == "base64-url-safe":
                content = base64.urlsafe_b64decode(value)
            else:
                content = binascii.a2b_base64(value, strict_mode=True)
        except (binascii.Error, ValueError) as fault:
            raise Unreadable from fault
        return f"\\x{content.hex()}"

    return read


def bits_from(length: int) -> Reader:
    """Bits come as base64, the lowest byte first; printed as binary digits."""

    def read(value: JsonValue) -> str:
        if type(value) is not str:
            raise Unreadable
        try:
            content = binascii.a2b_base64(value, strict_mode=True)
        except (binascii.Error, ValueError) as fault:
            raise Unreadable from fault
        return format(int.from_bytes(content, "little"), f"0{length}b")

    return read


def read_point(value: JsonValue) -> str:
    if type(value) is not dict:
        raise Unreadable
    return f"({read_float(value.get('x')):g},{read_float(value.get('y')):g})"


def list_of(read_item: Reader) -> Reader:
    def read(value: JsonValue) -> list[JsonValue]:
        if type(value) is not list:
            raise Unreadable
        return [None if item is None else read_item(item) for item in value]

    return read


def read_json(value: JsonValue) -> JsonValue:
    """JSON columns come as text."""
    return read_text(value)


def any_value(value: JsonValue) -> JsonValue:
    """For a column that neither contract nor schema describes: kept as it came."""
    return value


_SIMPLE: Final[dict[Kind, Reader]] = {
    Kind.TEXT: read_text,
    Kind.BOOLEAN: read_boolean,
    Kind.INTEGER: read_integer,
    Kind.UNSIGNED: read_unsigned,
    Kind.FLOAT: read_float,
    Kind.INTERVAL: read_interval,
    Kind.JSON: read_json,
    Kind.POINT: read_point,
    Kind.TIMESTAMPTZ: read_zoned,
    Kind.TIMETZ: read_zoned_time,
}


def simple_reader(column: ColumnType) -> Reader | None:
    """The reader of a kind whose form no connector setting changes."""
    return _SIMPLE.get(column.kind)
