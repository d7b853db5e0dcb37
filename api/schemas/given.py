"""What callers may state in bodies and addresses: read exactly as the description says it, no more and no less."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, WithJsonSchema, model_validator

#: The largest number of a thing: what every reader of JSON holds exactly (RFC 8259, 6).
MAX_ID = 2**53 - 1
#: Text that PostgreSQL can compare with: any but the NUL character.
Storable = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
#: Such text that is not blank.
Said = Annotated[str, StringConstraints(pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]

#: RFC 3339, 5.6. The offset is part of it: a time without one means different instants to different readers.
_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))", re.ASCII
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def read_instant(text: str) -> datetime | None:
    """The instant in UTC that RFC 3339 text names, None when it names none.

    A leap second is the second after it. What its offset carries out of the years 1 to 9999 is the nearest instant in
    them: nothing is stored beyond, so comparisons come out the same.
    """
    form = _INSTANT.fullmatch(text)
    if form is None:
        return None
    day, minute, second, fraction, sign, hours, minutes = form.groups()
    if int(second) > 60 or int(hours or 0) > 23 or int(minutes or 0) > 59:
        return None
    try:
        local = datetime.fromisoformat(f"{day}T{minute}:00+00:00")
    except ValueError:
        return None
    after = timedelta(seconds=int(second), microseconds=int(((fraction or "") + "000000")[:6]))
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        return local + after + (offset if sign == "-" else -offset)
    except OverflowError:
        return _LATEST if local.year > 1 else _EARLIEST


def _instant(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    found = read_instant(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("write RFC 3339 with an offset, like 2026-01-31T09:00:00Z")
    return found


def _day(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("write a day of the calendar, like 2026-01-31")


#: An instant in UTC.
Moment: TypeAlias = Annotated[
    datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})
]
#: A day of the calendar.
Day: TypeAlias = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Asked(BaseModel):
    """The base of what callers send.

    Unknown members are refused: a misspelt option must not be ignored. So are values of another type, like `"5"` for a
    number or 1 for true: the description does not know them, and what one reader guesses another does not.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, given: Any) -> Any:
        """In JSON 4.0 is a whole number, also in a list."""
        if not isinstance(given, dict):
            return given
        return {
            name: [_number(each) for each in value] if isinstance(value, list) else _number(value)
            for name, value in given.items()
        }


def either_given(*groups: tuple[str, ...], one_only: bool = False) -> ConfigDict:
    """The configuration that describes a rule across members: those of one of these groups are given, none empty.

    The model itself has to hold the rule; this tells callers of it.
    """
    alternatives: list[Any] = [
        {"required": list(group), "properties": dict.fromkeys(group, _SOMETHING)} for group in groups
    ]
    return ConfigDict(json_schema_extra={"oneOf" if one_only else "anyOf": alternatives})


#: Neither null nor a list without elements.
_SOMETHING = {"type": ["string", "object", "array", "integer"], "minItems": 1}
