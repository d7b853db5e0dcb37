"""Reads rows of one table into canonical JSON form, by readers that are compiled once per table and schema.

What the contract says is checked on the way: kinds of values, unknown or missing columns, nulls where none may be.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import msgspec

from mdm.intake.contracts import Contract, Mode
from mdm.intake.encoding import Field, reader_by_contract, reader_by_schema
from mdm.intake.limits import Limits
from mdm.intake.readers import any_value, read_boolean, read_integer, read_json, read_text
from mdm.intake.reading import Reader
from mdm.intake.refusal import MANY, Deviation, Refused

#: Debezium's `unavailable.value.placeholder`: the column was not sent because it did not change.
PLACEHOLDER: Final = "__debezium_unavailable_value"
_PLACEHOLDERS: Final = (
    PLACEHOLDER,
    "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==",  # bytea, in base64
    PLACEHOLDER.encode().hex(),
)
_PLACEHOLDER_LISTS: Final = ([PLACEHOLDER], [_PLACEHOLDERS[1]], list(PLACEHOLDER.encode()))

#: Schemas seen per table before the compiled readers are dropped; a table has a handful in its life.
_MOST_SCHEMAS: Final = 256

#: Readers that only check: where the JSON type is the expected one, calling them can be saved.
_EXACT: Final[dict[Reader, type]] = {read_text: str, read_json: str, read_boolean: bool, read_integer: int}
#: New columns of one row that are told one by one; what has more is another table's row, or was damaged.
_MOST_ADDED: Final = 20
#: No database gives columns longer names, and they could not be looked up.
_LONGEST_COLUMN: Final = 300
#: Levels of nesting that a value may have.
_DEEPEST: Final = 100

_decode = msgspec.json.decode
_decode_field = msgspec.json.Decoder(Field).decode


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row in canonical form. Columns that the event did not mention are absent; `unavailable` ones too."""

    values: Mapping[str, Any]
    unavailable: frozenset[str]
    deviations: tuple[Deviation, ...]


_Plan: TypeAlias = dict[str, tuple[type | None, Reader]]


def _plan(readers: Mapping[str, Reader]) -> _Plan:
    """How to read each column: the JSON type that needs no further look, and the reader for every other."""
    return {name: (_EXACT.get(reader), reader) for name, reader in readers.items()}


_NOTHING_UNAVAILABLE: Final[frozenset[str]] = frozenset()


class RowReader:
    """Reads keys and rows of one table."""

    def __init__(self, contract: Contract) -> None:
        #: What it reads by.
        self.contract = contract
        self._contract = contract
        self._readers = {
            name: reader_by_contract(column.type, contract.encodings) for name, column in contract.columns.items()
        }
        self._by_contract = _plan(self._readers)
        self._by_schema: dict[bytes, _Plan] = {}
        self._known = frozenset(contract.columns)
        self._required = frozenset(name for name, column in contract.columns.items() if column.required)
        self._limits = Limits(contract)

    def read_key(self, key: bytes, schema: bytes | None) -> dict[str, Any]:
        """The key columns in canonical form.

        Raises:
            Refused: KEY_MALFORMED, VALUE_TYPE or SCHEMA_MALFORMED.
        """
        values = _decode(key)
        if type(values) is not dict or not values.keys() >= set(self._contract.primary_key):
            wanted = ", ".join(self._contract.primary_key)
            raise Refused("KEY_MALFORMED", f"The message key does not hold the primary key ({wanted}).")
        plan = self._plan(schema, after=False)
        for name in self._contract.primary_key:
            value = values[name]
            if value is None:
                raise Refused("KEY_NULL", f"Column {name} of the message key is null.")
            expected, reader = plan.get(name, (None, any_value))
            if type(value) is not expected:
                values[name] = self._read(name, value, reader)
        return values

    def read_row(self, row: bytes, schema: bytes | None) -> ReadRow:
        """The row in canonical form, with what differs from the contract.

        Raises:
            Refused: VALUE_TYPE, CONTRACT_VIOLATION, SCHEMA_MALFORMED or ENVELOPE_MALFORMED.
        """
        return self._read_values(_object(row), self._plan(schema, after=True))

    def read_flat_row(self, row: bytes, schema: bytes | None) -> ReadRow:
        """As `read_row`, for a row without envelope, where the transform's own fields (`__op`, ...) stand beside it.

        Raises:
            Refused: as `read_row`.
        """
        values = _object(row)
        for name in [name for name in values if name.startswith("__") and name not in self._known]:
            del values[name]
        return self._read_values(values, self._plan(schema, after=False))

    def _read_values(self, values: dict[str, Any], plan: _Plan) -> ReadRow:
        unavailable: list[str] = []
        nulls: list[str] = []
        unread: list[Deviation] = []
        for name, value in values.items():
            if value is None:
                if name in self._required:
                    nulls.append(name)
                continue
            entry = plan.get(name)
            if entry is None:
                continue
            expected, reader = entry
            if type(value) is expected:
                if expected is str and value == PLACEHOLDER:
                    unavailable.append(name)
            elif _is_placeholder(value):
                unavailable.append(name)
            else:
                try:
                    values[name] = reader(value)
                except (ValueError, ArithmeticError) as fault:
                    unread.append(self._unread(name, value, fault))
        _refuse_unstorable(values)
        deviations = self._deviations(values, nulls)
        for name in unavailable:
            del values[name]
        exceeding = self._limits.exceeded_by(values)
        if unread or exceeding:
            deviations = (*self._settled(values, (*unread, *exceeding)), *deviations)
        return ReadRow(values, frozenset(unavailable) if unavailable else _NOTHING_UNAVAILABLE, deviations)

    def _read(self, name: str, value: Any, reader: Reader) -> Any:
        try:
            return reader(value)
        except (ValueError, ArithmeticError) as fault:
            deviation = self._unread(name, value, fault)
            raise Refused("VALUE_TYPE", deviation.detail, deviation) from fault

    def _unread(self, name: str, value: Any, fault: Exception) -> Deviation:
        """What to do about a value that is not what its column holds: refuse the event, or do without the value."""
        column = self._contract.columns.get(name)
        expected = f"{column.physical} ({column.type})" if column is not None else "what its schema says"
        detail = f"Column {name} should be {expected}; the event has {_described(value)}."
        deviation = Deviation("COLUMN_RETYPED", name, detail)
        if self._contract.mode_of(name) is not Mode.DISCARD_VALUE:
            raise Refused("VALUE_TYPE", detail, deviation) from fault
        return deviation

    def _settled(self, values: dict[str, Any], found: tuple[Deviation, ...]) -> tuple[Deviation, ...]:
        """Deviations of single columns, each by the mode of its column: told, told and dropped, or refused."""
        for deviation in found:
            mode = self._contract.mode_of(deviation.column)
            if mode is Mode.FREEZE:
                raise Refused("CONTRACT_VIOLATION", deviation.detail, deviation)
            if mode is Mode.DISCARD_VALUE:
                values.pop(deviation.column, None)
        return found

    def _deviations(self, values: dict[str, Any], nulls: list[str]) -> tuple[Deviation, ...]:
        """Columns too many, too few, renamed or null, settled by their modes."""
        known = self._known
        if values.keys() == known and not nulls:
            return ()
        added = [name for name in values if name not in known]
        missing = [
            name for name, column in self._contract.columns.items() if name not in values and not column.may_be_absent
        ]
        found = [
            Deviation("COLUMN_NULL", name, f"Column {name} is null although the contract requires it.")
            for name in nulls
        ]
        if len(added) == len(missing) == 1:
            # One came and one went in the same row: nobody announces it, and it reads like a new name.
            detail = f"Column {missing[0]} is missing and {added[0]} ({_kind(values[added[0]])}) is new: renamed?"
            found.append(Deviation("COLUMN_RENAMED", added[0], detail))
        else:
            found += self._each_added(values, added)
            found += [self._missing(name) for name in missing]
        return self._settled(values, tuple(found))

    def _each_added(self, values: dict[str, Any], added: list[str]) -> list[Deviation]:
        longest = max(map(len, added), default=0)
        if longest > _LONGEST_COLUMN:
            raise Refused("ENVELOPE_MALFORMED", f"A column has a name of {longest} characters.")
        dropped = self._contract.mode is Mode.DISCARD_VALUE
        if len(added) <= _MOST_ADDED:
            fate = "it was dropped" if dropped else "it is kept"
            said = "Column {} ({}) is not in the contract; {}."
            return [Deviation("COLUMN_ADDED", name, said.format(name, _kind(values[name]), fate)) for name in added]
        for name in added if dropped else ():
            del values[name]
        fate = "they were dropped" if dropped else "they are kept"
        return [Deviation("COLUMN_ADDED", MANY, f"{len(added)} columns are not in the contract; {fate}.")]

    def _missing(self, name: str) -> Deviation:
        physical = self._contract.columns[name].physical
        return Deviation("COLUMN_MISSING", name, f"Column {name} ({physical}) is missing from the event.")

    def _plan(self, schema: bytes | None, *, after: bool) -> _Plan:
        if schema is None:
            return self._by_contract
        plan = self._by_schema.get(schema)
        if plan is None:
            if len(self._by_schema) >= _MOST_SCHEMAS:
                self._by_schema.clear()
            plan = self._by_schema[schema] = self._compile(schema, after=after)
        return plan

    def _compile(self, schema: bytes, *, after: bool) -> _Plan:
        try:
            fields: Iterable[Field] = _decode_field(schema).fields
            if after:
                fields = next((field.fields for field in fields if field.field == "after"), ())
            by_schema = {field.field: self._reader(field) for field in fields if field.field is not None}
        except (msgspec.DecodeError, ValueError) as fault:
            raise Refused("SCHEMA_MALFORMED", f"The embedded schema cannot be read: {fault}.") from fault
        return _plan({**self._readers, **by_schema})

    def _reader(self, field: Field) -> Reader:
        column = self._contract.columns.get(field.field or "")
        return reader_by_schema(field, column.type if column is not None else None, self._contract.encodings)


def _refuse_unstorable(values: Mapping[str, Any]) -> None:
    """Numbers beyond 64 bits (signed or unsigned) and deep nestings are refused here, where only their event suffers.

    Raises:
        Refused: VALUE_TYPE.
    """
    for name, value in values.items():
        if type(value) is int:
            if not -(2**63) <= value < 2**64:
                raise Refused("VALUE_TYPE", f"Column {name} holds a whole number of more than 64 bits.")
        elif type(value) in (list, dict) and not _storable(value, _DEEPEST):
            raise Refused(
                "VALUE_TYPE",
                f"Column {name} is nested more than {_DEEPEST} levels or holds a whole number of more than 64 bits.",
            )


def _storable(value: Any, levels: int) -> bool:
    if isinstance(value, int):
        return -(2**63) <= value < 2**64
    if not isinstance(value, list | dict):
        return True
    if levels == 0:
        return False
    return all(_storable(each, levels - 1) for each in (value.values() if isinstance(value, dict) else value))


def _object(row: bytes) -> dict[str, Any]:
    values = _decode(row)
    if type(values) is not dict:
        raise Refused("ENVELOPE_MALFORMED", f"The row is a JSON {_kind(values)}, not an object.")
    return values


def _is_placeholder(value: Any) -> bool:
    if type(value) is str:
        return value in _PLACEHOLDERS
    if type(value) is list:
        return value in _PLACEHOLDER_LISTS
    return type(value) is dict and value == {PLACEHOLDER: PLACEHOLDER}


def _kind(value: Any) -> str:
    return {dict: "object", list: "list", str: "text", bool: "boolean", int: "integer", float: "number"}.get(
        type(value), "null"
    )


def _described(value: Any) -> str:
    """The kind of a value and its size, never the value itself."""
    return f"a text of {len(value)} characters" if type(value) is str else f"a JSON {_kind(value)}"
