"""Confluent's wire format made plain: a magic byte, the number of a registered schema, then Avro or JSON.

The rest of the hub reads what Debezium's JSON converter writes with schemas (`{"schema": …, "payload": …}`), so a
message in the wire format is turned into exactly that. Schemas come through a port; asking a registry is not done here.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeAlias

import fastavro
import msgspec

from mdm.intake.refusal import Refused
from mdm.intake.wire_numbers import teller
from mdm.intake.wire_schemas import connect_schema_of_avro, connect_schema_of_json, without_logical_types
from mdm.model.events import Message

_MAGIC: Final = b"\x00"
_PREFIX: Final = 5

#: From the bytes after the prefix to the JSON text of the payload.
_Reader: TypeAlias = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """A schema as the registry has it; `references` are the texts of the schemas that it names, in their order."""

    kind: str  # AVRO or JSON
    text: str
    references: tuple[str, ...] = ()


class Schemas(Protocol):
    """Where schemas are looked up."""

    def schema(self, number: int) -> RegisteredSchema | None:
        """The schema of a number; None when the registry does not know it.

        Raises:
            TransientError: the registry cannot be asked now.
        """
        ...


class WireFormat:
    """Makes messages plain. Schemas never change under their number, so each is read once."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._readers: dict[int, _Reader] = {}

    def plain(self, message: Message) -> Message:
        """The message with key and value as plain JSON; messages that are not in the wire format as they are.

        Raises:
            Refused: SCHEMA_UNKNOWN or ENVELOPE_MALFORMED.
            TransientError: the registry cannot be asked now.
        """
        key, value = self._plain(message.key), self._plain(message.value)
        return message if key is message.key and value is message.value else replace(message, key=key, value=value)

    def _plain(self, content: bytes | None) -> bytes | None:
        if content is None or not content.startswith(_MAGIC):
            return content
        number = int.from_bytes(content[1:_PREFIX], "big")
        reader = self._readers.get(number)
        if reader is None:
            reader = self._readers[number] = self._reader(number)
        return reader(content[_PREFIX:])

    def _reader(self, number: int) -> _Reader:
        registered = self._schemas.schema(number)
        if registered is None:
            raise Refused("SCHEMA_UNKNOWN", f"The schema registry does not know schema {number}.")
        try:
            document = msgspec.json.decode(registered.text)
            references = [msgspec.json.decode(text) for text in registered.references]
            if registered.kind == "AVRO":
                return _avro_reader(document, references)
            if registered.kind == "JSON":
                return _json_reader(connect_schema_of_json(document))
        except (ValueError, KeyError, TypeError, fastavro.schema.SchemaParseException) as fault:
            raise Refused("SCHEMA_MALFORMED", f"Schema {number} of the registry cannot be read: {fault}.") from fault
        raise Refused("SCHEMA_MALFORMED", f"Schema {number} is of kind {registered.kind}; Avro and JSON are read.")


def _avro_reader(document: Any, references: list[Any]) -> _Reader:  # Any: a schema is JSON
    named: dict[str, Any] = {}
    for reference in references:
        fastavro.parse_schema(without_logical_types(reference), named_schemas=named)
    # Logical types would turn decimals and times into Python values; the hub's own readers know them better.
    parsed = fastavro.parse_schema(without_logical_types(document), named_schemas=named)
    connect_schema = connect_schema_of_avro(document, references)
    wrap, told = _wrapper(connect_schema), teller(connect_schema)

    def read(content: bytes) -> bytes:
        try:
            value = fastavro.schemaless_reader(io.BytesIO(content), parsed, None)
        except (EOFError, ValueError, IndexError, KeyError, TypeError, OverflowError, UnicodeDecodeError) as fault:
            raise Refused("ENVELOPE_MALFORMED", f"The content does not fit its Avro schema: {fault}.") from fault
        # Bytes become base64, as the JSON converter writes them.
        return wrap(msgspec.json.encode(value if told is None else told(value)))

    return read


def _json_reader(connect_schema: Mapping[str, Any]) -> _Reader:
    return _wrapper(connect_schema)


def _wrapper(connect_schema: Mapping[str, Any]) -> _Reader:
    head = b'{"schema":' + msgspec.json.encode(connect_schema) + b',"payload":'
    return lambda payload: head + payload + b"}"
