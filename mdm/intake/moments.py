"""Readers of dates, times and timestamps (see `mdm.intake.readers` for the forms)."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from mdm.intake.reading import JsonValue, Reader, Unreadable

_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_LAST_DAY: Final = date.max.toordinal() - _EPOCH_DAY
_FIRST_DAY: Final = date.min.toordinal() - _EPOCH_DAY
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - local time of the source, zone unknown
# PostgreSQL's infinity as its JDBC driver hands it to the connector, in milliseconds.
_INFINITIES: Final = {9223372036825200000: "infinity", -9223372036832400000: "-infinity"}
_ISO_ZONED: Final = re.compile(r"(\d{4,}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")
_ISO_TIME: Final = re.compile(r"(-?\d+:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")


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
