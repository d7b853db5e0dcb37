"""From the schemas of a registry (Avro, JSON Schema) to the Kafka Connect schema that they were made from.

Connect's converters leave their own names in them (`connect.name`, `connect.type`, `title`), so nothing is guessed
where Debezium wrote the message; a foreign Avro schema is understood by its logical types.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

#: A schema as JSON gives it.
Schema: TypeAlias = Any

_PRIMITIVES: Final = {
    "boolean": "boolean", "int": "int32", "long": "int64", "float": "float", "double": "double", "bytes": "bytes",
    "string": "string", "enum": "string", "fixed": "bytes",
}  # fmt: skip
_CONNECT = "org.apache.kafka.connect.data."
_LOGICAL: Final = {
    "decimal": f"{_CONNECT}Decimal",
    "date": f"{_CONNECT}Date",
    "time-millis": f"{_CONNECT}Time",
    "time-micros": "io.debezium.time.MicroTime",
    "timestamp-millis": f"{_CONNECT}Timestamp",
    "timestamp-micros": "io.debezium.time.MicroTimestamp",
}


def without_logical_types(schema: Schema) -> Schema:
    """The same Avro schema, whose values come as they are stored: a decimal as bytes, a date as a number of days."""
    if isinstance(schema, dict):
        return {name: without_logical_types(each) for name, each in schema.items() if name != "logicalType"}
    return [without_logical_types(each) for each in schema] if isinstance(schema, list) else schema


def connect_schema_of_avro(schema: Schema, references: Sequence[Schema] = ()) -> Mapping[str, Any]:
    """The Connect schema of an Avro schema.

    Raises:
        ValueError: it names a type that is not defined, or a union of more than one type beside null.
    """
    known: dict[str, Mapping[str, Any]] = {}
    for reference in references:
        _of_avro(reference, "", known)
    return _of_avro(schema, "", known)


def _of_avro(schema: Schema, namespace: str, known: dict[str, Mapping[str, Any]]) -> dict[str, Any]:
    if isinstance(schema, list):
        branches = [branch for branch in schema if branch != "null"]
        if len(branches) != 1:
            raise ValueError(f"a union of {len(branches)} types beside null")
        return {**_of_avro(branches[0], namespace, known), "optional": True}
    if isinstance(schema, str):
        if schema in _PRIMITIVES:
            return {"type": _PRIMITIVES[schema]}
        found = known.get(schema) or known.get(f"{namespace}.{schema}")
        if found is None:
            raise ValueError(f"type {schema} is not defined")
        return dict(found)
    kind = schema["type"]
    if not isinstance(kind, str):
        return _of_avro(kind, namespace, known)
    named = {name: value for name, value in _marks(schema).items() if value is not None}
    if kind == "record":
        return _record(schema, namespace, known, named)
    if kind == "array":
        return {"type": "array", "items": _of_avro(schema["items"], namespace, known), **named}
    if kind == "map":
        values = _of_avro(schema["values"], namespace, known)
        return {"type": "map", "keys": {"type": "string"}, "values": values, **named}
    result = (
        {**_of_avro(kind, namespace, known), **named}
        if kind not in _PRIMITIVES
        else {"type": _PRIMITIVES[kind], **named}
    )
    if kind in ("enum", "fixed"):
        known[_full_name(schema, namespace)] = result
    return result


def _record(
    schema: Schema, namespace: str, known: dict[str, Mapping[str, Any]], named: Mapping[str, Any]
) -> dict[str, Any]:
    name = _full_name(schema, namespace)
    inner = name.rpartition(".")[0]
    result: dict[str, Any] = {"type": "struct", "fields": [], "name": name, **named}
    known[name] = result
    result["fields"] = [{**_of_avro(each["type"], inner, known), "field": each["name"]} for each in schema["fields"]]
    return result


def _full_name(schema: Schema, namespace: str) -> str:
    name = str(schema["name"])
    space = schema.get("namespace", namespace)
    return name if "." in name or not space else f"{space}.{name}"


def _marks(schema: Schema) -> dict[str, Any]:
    """What Connect's converter noted about a type; where it noted nothing, what the logical type says."""
    name = schema.get("connect.name") or _LOGICAL.get(schema.get("logicalType", ""))
    parameters = schema.get("connect.parameters")
    if name == f"{_CONNECT}Decimal" and "scale" not in (parameters or {}):
        parameters = {"scale": str(schema.get("scale", 0))}
    marks = {"name": name, "parameters": parameters, "version": schema.get("connect.version")}
    if "connect.type" in schema:
        marks["type"] = schema["connect.type"]
    return marks


def connect_schema_of_json(schema: Schema) -> Mapping[str, Any]:
    """The Connect schema of a JSON Schema that Confluent's converter wrote.

    Raises:
        ValueError: a reference leads nowhere.
    """
    return _of_json(schema, schema)


_JSON_TYPES: Final = {"integer": "int64", "number": "double", "boolean": "boolean", "string": "string"}


def _of_json(schema: Schema, whole: Schema) -> dict[str, Any]:
    if "$ref" in schema:
        return _of_json(_resolved(schema["$ref"], whole), whole)
    branches = [branch for branch in schema.get("oneOf", ()) if branch.get("type") != "null"]
    if len(branches) == 1:
        return {**_of_json(branches[0], whole), "optional": True}
    kind = schema.get("type", "string")
    named: dict[str, Any] = {"name": schema["title"]} if "title" in schema else {}
    if "connect.parameters" in schema:
        named["parameters"] = schema["connect.parameters"]
    if kind == "object" and schema.get("connect.type") != "map":
        ordered = sorted(schema.get("properties", {}).items(), key=lambda each: each[1].get("connect.index", 0))
        return {
            "type": "struct",
            "fields": [{**_of_json(each, whole), "field": name} for name, each in ordered],
            **named,
        }
    if kind == "array":
        return {"type": "array", "items": _of_json(schema.get("items", {}), whole), **named}
    if kind == "number" and named.get("name") == f"{_CONNECT}Decimal":
        return {"type": "double"}  # `decimal.format=NUMERIC`: the value is a number, not the bytes of one
    return {"type": schema.get("connect.type", _JSON_TYPES.get(str(kind), "string")), **named}


def _resolved(reference: str, whole: Schema) -> Schema:
    found = whole
    for step in reference.removeprefix("#/").split("/"):
        if not isinstance(found, dict) or step not in found:
            raise ValueError(f"reference {reference} leads nowhere")
        found = found[step]
    return found
