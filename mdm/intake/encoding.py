"""Chooses the reader of a column: from the contract and the connector's settings, or from an embedded schema.

An embedded schema (`schemas.enable=true`) says by semantic type how each field is encoded; the contract still says
what it means, for example that a text is a decimal.
"""

from typing import Final

import msgspec

from mdm.intake import moments, readers
from mdm.intake.reading import JsonValue, Reader, Unreadable
from mdm.intake.types import ColumnType, Encodings, Kind


class Field(msgspec.Struct, frozen=True):
    """One field of a Kafka Connect schema."""

    type: str
    name: str | None = None
    field: str | None = None
    parameters: dict[str, str] | None = None
    items: "Field | None" = None
    fields: "tuple[Field, ...]" = ()


_TIME = "io.debezium.time."
_CONNECT = "org.apache.kafka.connect.data."

#: Semantic type to reader, where the name says all.
_SEMANTIC: Final[dict[str, Reader]] = {
    f"{_TIME}Date": moments.read_days,
    f"{_CONNECT}Date": moments.read_days,
    f"{_TIME}IsoDate": moments.read_iso_date,
    f"{_TIME}Timestamp": moments.timestamp_from_units(1_000),
    f"{_CONNECT}Timestamp": moments.timestamp_from_units(1_000),
    f"{_TIME}MicroTimestamp": moments.timestamp_from_units(1_000_000),
    f"{_TIME}NanoTimestamp": moments.timestamp_from_units(1_000_000_000),
    f"{_TIME}IsoTimestamp": moments.read_iso_timestamp,
    f"{_TIME}ZonedTimestamp": moments.read_zoned,
    f"{_TIME}Time": moments.time_from_units(1_000),
    f"{_CONNECT}Time": moments.time_from_units(1_000),
    f"{_TIME}MicroTime": moments.time_from_units(1_000_000),
    f"{_TIME}NanoTime": moments.time_from_units(1_000_000_000),
    f"{_TIME}IsoTime": moments.read_iso_time,
    f"{_TIME}ZonedTime": moments.read_zoned_time,
    f"{_TIME}MicroDuration": readers.read_interval,
    f"{_TIME}Interval": readers.read_interval,
    "io.debezium.data.VariableScaleDecimal": readers.read_decimal_with_scale,
    "io.debezium.data.geometry.Point": readers.read_point,
}
_PLAIN: Final[dict[str, Reader]] = {
    "string": readers.read_text,
    "boolean": readers.read_boolean,
    "float32": readers.read_float,
    "float64": readers.read_float,
    "float": readers.read_float,
    "double": readers.read_float,
}
#: time.precision.mode to units per second; adaptive ones follow the column's precision.
_UNITS: Final = {"connect": 1_000, "microseconds": 1_000_000, "nanoseconds": 1_000_000_000}


def reader_by_contract(column: ColumnType, settings: Encodings) -> Reader:
    """The reader of a column as the contract and the connector's settings describe it."""
    simple = readers.simple_reader(column)
    if simple is not None:
        return simple
    if column.kind is Kind.ARRAY:
        return readers.list_of(reader_by_contract(column.item or ColumnType(Kind.TEXT), settings))
    if column.kind is Kind.DECIMAL:
        return _decimal(column, settings.decimals)
    if column.kind is Kind.BYTES:
        return readers.bytes_from(settings.binary)
    if column.kind is Kind.BITS:
        return readers.bits_from(column.precision or 1)
    return _time(column, settings)


#: Semantic types to what a contract may call such a column.
_MEANT: Final[dict[str, tuple[Kind, ...]]] = {
    f"{_CONNECT}Decimal": (Kind.DECIMAL, Kind.UNSIGNED),
    "io.debezium.data.VariableScaleDecimal": (Kind.DECIMAL,),
    "io.debezium.data.geometry.Point": (Kind.POINT,),
    **dict.fromkeys((f"{_TIME}Date", f"{_CONNECT}Date", f"{_TIME}IsoDate"), (Kind.DATE,)),
    **dict.fromkeys((f"{_TIME}MicroDuration", f"{_TIME}Interval"), (Kind.INTERVAL,)),
    **dict.fromkeys([name for name in _SEMANTIC if name.endswith("Timestamp")], (Kind.TIMESTAMP, Kind.TIMESTAMPTZ)),
    **dict.fromkeys([name for name in _SEMANTIC if name.endswith("Time")], (Kind.TIME, Kind.TIMETZ)),
}


def _retyped(_: JsonValue) -> JsonValue:
    """Reads nothing: the schema says that the column is something else than the contract does."""
    raise Unreadable


def reader_by_schema(field: Field, column: ColumnType | None, settings: Encodings) -> Reader:
    """The reader of a field of an embedded schema; `column` is the contract's type where it has the column."""
    if column is not None and field.name in _MEANT and column.kind not in _MEANT[field.name]:
        return _retyped
    if column is not None and column.kind is Kind.UNSIGNED:
        return readers.read_unsigned
    if field.name == f"{_CONNECT}Decimal":
        scale = (field.parameters or {}).get("scale", "0")
        return readers.decimal_from_unscaled(int(scale))
    if field.name in _SEMANTIC:
        return _SEMANTIC[field.name]
    if field.name == "io.debezium.data.Bits":
        return readers.bits_from(int((field.parameters or {}).get("length", "1")))
    if field.type == "array":
        item = column.item if column is not None else None
        return readers.list_of(reader_by_schema(field.items, item, settings) if field.items else readers.any_value)
    if field.type == "bytes":
        return readers.bytes_from(settings.binary)
    if column is not None:
        return _with_meaning(field, column, settings)
    if field.type.startswith("int"):
        return readers.read_integer
    return _PLAIN.get(field.type, readers.any_value)


def _with_meaning(field: Field, column: ColumnType, settings: Encodings) -> Reader:
    """A field without a semantic type: the connector's settings turned the column into a plain text or number."""
    if column.kind is Kind.DECIMAL:
        return _decimal(column, "string" if field.type == "string" else "double")
    if column.kind is Kind.BYTES:
        return readers.bytes_from("hex" if settings.binary == "hex" else "base64")
    if column.kind in (Kind.DATE, Kind.TIME, Kind.TIMESTAMP) and field.type == "string":
        return reader_by_contract(column, Encodings(times="isostring"))
    return reader_by_contract(column, settings)


def _decimal(column: ColumnType, mode: str) -> Reader:
    if mode == "string":
        return readers.read_decimal_text
    if mode == "double":
        return readers.decimal_from_float(column.scale)
    if column.scale is None:
        return readers.read_decimal_with_scale
    return readers.decimal_from_unscaled(column.scale)


def _time(column: ColumnType, settings: Encodings) -> Reader:
    iso = settings.times == "isostring"
    if column.kind is Kind.DATE:
        return moments.read_iso_date if iso else moments.read_days
    if column.kind is Kind.TIME:
        return moments.read_iso_time if iso else moments.time_from_units(_units(column, settings))
    return moments.read_iso_timestamp if iso else moments.timestamp_from_units(_units(column, settings))


def _units(column: ColumnType, settings: Encodings) -> int:
    fixed = _UNITS.get(settings.times)
    if fixed is not None:
        return fixed
    if settings.times == "adaptive_time_microseconds" and column.kind is Kind.TIME:
        return 1_000_000
    return 1_000 if column.precision is not None and column.precision <= 3 else 1_000_000
