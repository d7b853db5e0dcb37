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
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias

from mdm.intake.types import ColumnType, Kind

# A value as JSON gives it; its kind is what a reader checks.
JsonValue: TypeAlias = Any
Reader: TypeAlias = Callable[[JsonValue], JsonValue]


class Unreadable(ValueError):
    """A value that is not what the contract and the connector's settings say."""


_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_LAST_DAY: Final = date.max.toordinal() - _EPOCH_DAY
_FIRST_DAY: Final = date.min.toordinal() - _EPOCH_DAY
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - local time of the source, zone unknown
# PostgreSQL's infinity as its JDBC driver hands it to the connector, in milliseconds.
_INFINITIES: Final = {9223372036825200000: "infinity", -9223372036832400000: "-infinity"}
_DECIMAL: Final = re.compile(r"-?\d+(\.\d+)?")
_SPECIAL_DECIMALS: Final = {
    "NAN": "NaN",
    "NaN": "NaN",
    "POSITIVE_INFINITY": "Infinity",
    "Infinity": "Infinity",
    "NEGATIVE_INFINITY": "-Infinity",
    "-Infinity": "-Infinity",
}
_ISO_ZONED: Final = re.compile(r"(\d{4,}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")
_ISO_TIME: Final = re.compile(r"(-?\d+:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")


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
        return format(Decimal(value), "f")
    except InvalidOperation as fault:
        raise Unreadable from fault


def decimal_from_float(scale: int | None) -> Reader:
    """decimal.handling.mode=double: digits beyond a double's precision are lost at the source."""

    def read(value: JsonValue) -> str:
        if type(value) is str and value in _SPECIAL_DECIMALS:
            return _SPECIAL_DECIMALS[value]
        if type(value) is not float and type(value) is not int:
            raise Unreadable
        number = Decimal(repr(value))
        return format(number if scale is None else round(number, scale), "f")

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
    if scale <= 0:
        return str(unscaled * 10**-scale)
    digits = str(abs(unscaled)).rjust(scale + 1, "0")
    return f"{'-' if unscaled < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"


def read_days(value: JsonValue) -> str:
    """Days since 1970-01-01."""
    if type(value) is not int:
        raise Unreadable
    if _FIRST_DAY <= value <= _LAST_DAY:
        return date.fromordinal(value + _EPOCH_DAY).isoformat()
    return _far_day(value)


def read_iso_date(value: JsonValue) -> str:
    # isostring mode ends a date with a Z, which no parser takes.
    if type(value) is not str or not re.fullmatch(r"-?\d{4,}-\d\d-\d\dZ?|-?infinity", value):
        raise Unreadable
    return value.rstrip("Z")


def timestamp_from_units(units_per_second: int) -> Reader:
    """Milliseconds, microseconds or nanoseconds since 1970-01-01T00:00:00, as local time of unknown zone."""

    def read(value: JsonValue) -> str:
        if type(value) is not int:
            raise Unreadable
        if value in _INFINITIES:
            return _INFINITIES[value]
        seconds, fraction = divmod(value, units_per_second)
        days, second = divmod(seconds, 86_400)
        clock = _clock(second, fraction * 1_000_000 // units_per_second)
        return f"{read_days(days)}T{clock}"

    return read


def read_iso_timestamp(value: JsonValue) -> str:
    return read_zoned(value).rstrip("Z")


def read_zoned(value: JsonValue) -> str:
    """ISO text in UTC with six decimals and Z, whatever zone and precision it came with."""
    if type(value) is not str:
        raise Unreadable
    if len(value) == 27 and value[26] == "Z" and value[19] == ".":
        return value
    if value in ("infinity", "-infinity"):
        return value
    match = _ISO_ZONED.fullmatch(value)
    if match is None:
        raise Unreadable
    moment, fraction, zone = match.groups()
    moment = moment if moment.count(":") == 2 else f"{moment}:00"
    if zone not in (None, "Z"):
        try:
            moment = datetime.fromisoformat(f"{moment}{zone}").astimezone(UTC).replace(tzinfo=None).isoformat()
        except (ValueError, OverflowError) as fault:
            raise Unreadable from fault
    return f"{moment}.{_six(fraction)}Z"


def time_from_units(units_per_second: int) -> Reader:
    """A time of day, or MySQL's signed span of hours, from milliseconds, microseconds or nanoseconds."""

    def read(value: JsonValue) -> str:
        if type(value) is not int:
            raise Unreadable
        seconds, fraction = divmod(abs(value), units_per_second)
        return f"{'-' if value < 0 else ''}{_clock(seconds, fraction * 1_000_000 // units_per_second)}"

    return read


def read_iso_time(value: JsonValue) -> str:
    """A local time loses the Z that isostring mode adds; a time with zone keeps it (see `read_zoned_time`)."""
    return read_zoned_time(value).rstrip("Z")


def read_zoned_time(value: JsonValue) -> str:
    match = _ISO_TIME.fullmatch(value) if type(value) is str else None
    if match is None:
        raise Unreadable
    clock, fraction, zone = match.groups()
    clock = clock if clock.count(":") == 2 else f"{clock}:00"
    return f"{clock}.{_six(fraction)}{zone or ''}"


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


def _clock(seconds: int, microseconds: int) -> str:
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02}:{minute:02}:{second:02}.{microseconds:06}"


def _six(fraction: str | None) -> str:
    return (fraction or "")[:6].ljust(6, "0")


def _far_day(days: int) -> str:
    """A day outside Python's years 1 to 9999, as PostgreSQL prints it (connectors encode infinity as such days).

    The Gregorian calendar repeats every 400 years of 146,097 days, so the day is moved into range and its year back.
    """
    eras, rest = divmod(days, 146_097)
    near = _EPOCH + timedelta(days=rest)
    year = near.year + 400 * eras
    shown, era = (year, "") if year > 0 else (1 - year, " BC")
    return f"{shown:04}-{near.month:02}-{near.day:02}{era}"


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
