"""Messages with embedded schemas written as Confluent's converters write them: the other direction of `intake.wire`.

An independent reading of Connect's AvroData and JsonSchemaData rules, so that tests can compare the two.
"""

import base64
import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import fastavro
import msgspec

from mdm.intake.wire import RegisteredSchema
from mdm.model.events import Message

_AVRO = {
    "boolean": "boolean", "int8": "int", "int16": "int", "int32": "int", "int64": "long", "float": "float",
    "float32": "float", "double": "double", "float64": "double", "bytes": "bytes", "string": "string",
}  # fmt: skip


class WritingRegistry:
    """A registry that schemas are written to, and a writer of messages in its format (`AVRO` or `JSON`)."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._numbers: dict[bytes, int] = {}
        self._parsed: dict[int, Any] = {}
        self.schemas: dict[int, RegisteredSchema] = {}

    def schema(self, number: int) -> RegisteredSchema | None:
        return self.schemas.get(number)

    def write(self, message: Message) -> Message:
        """The message whose key and value have embedded schemas, in the wire format."""
        return replace(message, key=self._write(message.key), value=self._write(message.value))

    def _write(self, text: bytes | None) -> bytes | None:
        if text is None or text == b"null":
            return text
        wrapped = msgspec.json.decode(text)
        schema, payload = wrapped["schema"], wrapped["payload"]
        number = self._register(schema)
        head = b"\0" + number.to_bytes(4, "big")
        if self._kind == "JSON":
            return head + msgspec.json.encode(payload)
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._parsed[number], _avro_value(schema, payload))
        return head + out.getvalue()

    def _register(self, schema: Mapping[str, Any]) -> int:
        mark = msgspec.json.encode(schema)
        if mark not in self._numbers:
            number = self._numbers[mark] = len(self._numbers) + 1
            document = _avro(schema, set()) if self._kind == "AVRO" else _json(schema)
            self.schemas[number] = RegisteredSchema(self._kind, msgspec.json.encode(document).decode())
            if self._kind == "AVRO":
                self._parsed[number] = fastavro.parse_schema(_without_logic(document))
        return self._numbers[mark]


def _without_logic(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {name: _without_logic(each) for name, each in schema.items() if name != "logicalType"}
    return [_without_logic(each) for each in schema] if isinstance(schema, list) else schema


def _avro(schema: Mapping[str, Any], defined: set[str]) -> Any:
    kind = schema["type"]
    marks: dict[str, Any] = {}
    if "name" in schema:
        marks["connect.name"] = schema["name"]
    if "parameters" in schema:
        marks["connect.parameters"] = schema["parameters"]
    if kind in ("int8", "int16"):
        marks["connect.type"] = kind
    if schema.get("name") == "org.apache.kafka.connect.data.Decimal":
        marks |= {"logicalType": "decimal", "precision": 64, "scale": int(schema["parameters"]["scale"])}
    if kind == "struct":
        name = schema.get("name", "ConnectDefault")
        if name in defined:
            written: Any = name
        else:
            defined.add(name)
            fields = [{"name": each["field"], "type": _avro(each, defined)} for each in schema["fields"]]
            space, _, last = name.rpartition(".")
            written = {"type": "record", "name": last, "namespace": space, "fields": fields, **marks}
    elif kind == "array":
        written = {"type": "array", "items": _avro(schema["items"], defined), **marks}
    else:
        written = {"type": _AVRO[kind], **marks} if marks else _AVRO[kind]
    return ["null", written] if schema.get("optional") else written


def _avro_value(schema: Mapping[str, Any], value: Any) -> Any:
    if value is None:
        return None
    match schema["type"]:
        case "struct":
            return {each["field"]: _avro_value(each, value.get(each["field"])) for each in schema["fields"]}
        case "array":
            return [_avro_value(schema["items"], each) for each in value]
        case "bytes":
            return base64.b64decode(value)
        case "float" | "float32" | "double" | "float64" if isinstance(value, str):
            return float(value.replace("Infinity", "inf"))
    return value


def _json(schema: Mapping[str, Any]) -> Any:
    kind = schema["type"]
    written: dict[str, Any] = {"title": schema["name"]} if "name" in schema else {}
    if "parameters" in schema:
        written["connect.parameters"] = schema["parameters"]
    if kind == "struct":
        written["type"] = "object"
        written["properties"] = {
            each["field"]: {**_json(each), "connect.index": number} for number, each in enumerate(schema["fields"])
        }
    elif kind == "array":
        written |= {"type": "array", "items": _json(schema["items"])}
    elif kind in ("boolean", "string"):
        written["type"] = kind
    else:
        json_type = "integer" if kind.startswith("int") else "string" if kind == "bytes" else "number"
        written |= {"type": json_type, "connect.type": kind}
    return {"oneOf": [{"type": "null"}, written]} if schema.get("optional") else written


@contextmanager
def serving(registry: WritingRegistry) -> Iterator[str]:
    """The address at which the registry answers as Confluent's does: `schemaType` is left out where it is Avro."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            number = self.path.removeprefix("/schemas/ids/")
            found = registry.schema(int(number)) if number.isdigit() else None
            answer: dict[str, Any] = {"error_code": 40403, "message": "Schema not found"}
            if found is not None:
                answer = {"schema": found.text} | ({} if found.kind == "AVRO" else {"schemaType": found.kind})
            content = msgspec.json.encode(answer)
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
