"""Column types as a contract states them, and how a connector's settings encode them on the wire.

PostgreSQL and MySQL words are understood. The encodings are Debezium's connector settings: without an embedded schema
a precise decimal has no scale and an adaptive time no unit, so they cannot be guessed.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final


class Kind(StrEnum):
    """What a column holds; decides its canonical JSON form (see `mdm.intake.readers`)."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    UNSIGNED = "unsigned 64-bit integer"
    FLOAT = "float"
    DECIMAL = "decimal"
    DATE = "date"
    TIME = "time"
    TIMETZ = "timetz"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    INTERVAL = "interval"
    JSON = "json"
    BYTES = "bytes"
    BITS = "bits"
    POINT = "point"
    ARRAY = "array"


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column's type.

    `scale` is None for a numeric without one; `precision` is that of fractional seconds, or the number of bits.
    """

    kind: Kind
    scale: int | None = None
    precision: int | None = None
    item: "ColumnType | None" = None

    def __str__(self) -> str:
        if self.item is not None:
            return f"list of {self.item}"
        return f"decimal with scale {self.scale}" if self.scale is not None else self.kind.value


@dataclass(frozen=True, slots=True)
class Encodings:
    """The connector's settings: decimal.handling.mode, time.precision.mode, binary.handling.mode, and the database."""

    decimals: str = "precise"
    times: str = "adaptive"
    binary: str = "bytes"
    database: str = "postgresql"


DECIMALS: Final = ("precise", "string", "double")
TIMES: Final = ("adaptive", "adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds")
BINARY: Final = ("bytes", "base64", "base64-url-safe", "hex")
DATABASES: Final = ("postgresql", "mysql")

_WORDS: Final = {
    Kind.TEXT: "text varchar char character bpchar uuid citext name inet cidr macaddr xml enum set tsvector "
    "tinytext mediumtext longtext daterange tsrange tstzrange int4range int8range numrange oid",
    Kind.BOOLEAN: "bool boolean",
    Kind.INTEGER: "int integer bigint smallint int2 int4 int8 serial bigserial tinyint mediumint year",
    Kind.FLOAT: "real float float4 float8 double",
    Kind.DECIMAL: "numeric decimal money",
    Kind.DATE: "date",
    Kind.TIME: "time",
    Kind.TIMETZ: "timetz",
    Kind.TIMESTAMP: "timestamp datetime",
    Kind.TIMESTAMPTZ: "timestamptz",
    Kind.INTERVAL: "interval",
    Kind.JSON: "json jsonb",
    Kind.BYTES: "bytea blob tinyblob mediumblob longblob binary varbinary",
    Kind.BITS: "bit varbit",
    Kind.POINT: "point",
}
_KIND_OF_WORD: Final = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_LOGICAL: Final = {
    "string": Kind.TEXT,
    "boolean": Kind.BOOLEAN,
    "integer": Kind.INTEGER,
    "number": Kind.DECIMAL,
    "date": Kind.DATE,
    "timestamp": Kind.TIMESTAMPTZ,
    "time": Kind.TIME,
    "object": Kind.JSON,
}
_TYPE = re.compile(r"(?P<word>[a-z_0-9.]+)\s*(?:\((?P<args>[^)]*)\))?\s*(?P<rest>.*)")


@cache
def column_type(physical: str, logical: str = "", database: str = "postgresql") -> ColumnType | None:
    """The type that `varchar(18)`, `numeric(18,2)`, `timestamp(3) without time zone`, `text[]`, ... stand for.

    A word that no database knows (an enumeration's own name) means what `logical` says; None when that is empty too.
    """
    text = physical.strip().lower()
    if text.endswith("[]"):
        item = column_type(text[:-2], "string", database)
        return ColumnType(Kind.ARRAY, item=item)
    match = _TYPE.fullmatch(text)
    if match is None:
        return None
    kind = _KIND_OF_WORD.get(match["word"]) or _LOGICAL.get(logical)
    if kind is None:
        return None
    zoned = match["rest"].startswith("with time zone") or (match["word"] == "timestamp" and database == "mysql")
    if zoned:
        kind = {Kind.TIMESTAMP: Kind.TIMESTAMPTZ, Kind.TIME: Kind.TIMETZ}.get(kind, kind)
    if match["word"] == "bigint" and "unsigned" in match["rest"]:
        kind = Kind.UNSIGNED
    numbers = [int(part) for part in re.findall(r"-?\d+", match["args"] or "")]
    if kind is Kind.DECIMAL:
        return ColumnType(kind, scale=_scale(match["word"], numbers, database))
    if kind is Kind.BITS:
        length = numbers[0] if numbers else 1
        return ColumnType(Kind.BOOLEAN) if length == 1 else ColumnType(kind, precision=length)
    if kind in (Kind.TIME, Kind.TIMESTAMP):
        # MySQL keeps whole seconds unless told otherwise, PostgreSQL microseconds.
        return ColumnType(kind, precision=numbers[0] if numbers else 0 if database == "mysql" else 6)
    return ColumnType(kind)


@dataclass(frozen=True, slots=True)
class Limit:
    """What fits into a column: characters of a text, the smallest and largest integer, digits after the point."""

    length: int | None = None
    lowest: int | None = None
    highest: int | None = None
    scale: int | None = None


_LENGTH_WORDS: Final = frozenset(("varchar", "char", "character", "bpchar", "nvarchar"))
_BITS: Final = {"tinyint": 8, "smallint": 16, "int2": 16, "mediumint": 24, "int": 32, "integer": 32, "int4": 32}


@cache
def column_limit(physical: str) -> Limit:
    """The limit that a physical type states; an empty one where it states none."""
    match = _TYPE.fullmatch(physical.strip().lower())
    if match is None or physical.strip().endswith("[]"):
        return Limit()
    numbers = [int(part) for part in re.findall(r"-?\d+", (match["args"] or "") + " " + match["rest"])]
    word = match["word"]
    if word in _LENGTH_WORDS:
        return Limit(length=numbers[0]) if numbers else Limit()
    if word in _BITS:
        bits = _BITS[word]
        if "unsigned" in match["rest"]:
            return Limit(lowest=0, highest=2**bits - 1)
        return Limit(lowest=-(2 ** (bits - 1)), highest=2 ** (bits - 1) - 1)
    if word in ("numeric", "decimal") and numbers:
        return Limit(scale=max(numbers[1], 0) if len(numbers) > 1 else 0)
    return Limit()


def _scale(word: str, numbers: list[int], database: str) -> int | None:
    if word == "money":
        return 2
    if len(numbers) == 2:
        return numbers[1]
    return 0 if numbers or database == "mysql" else None
