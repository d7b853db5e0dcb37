"""The AsyncAPI document and the JSON Schemas of what the hub publishes: generated, committed, compared by `--check`.

python -m api.asyncapi            writes api/asyncapi.json and api/events/*.schema.json
python -m api.asyncapi --check    exits with 1 when what is committed is not what the hub publishes
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from api.committed import write_or_check
from mdm import __version__
from mdm.model.announcements import KINDS, event_type, event_types, payload_schema, schema_id
from mdm.model.canonical import ATTRIBUTES, DataClass
from mdm.model.ids import Domain
from mdm.streams.cloud_events import cloud_event_type, topic_of

HERE = Path(__file__).parent
DOCUMENT = HERE / "asyncapi.json"
SCHEMAS = HERE / "events"

_HEADERS: Mapping[str, str] = {
    "ce_specversion": "1.0",
    "ce_id": "Stable: the same event published twice carries the same id.",
    "ce_source": "The hub that says it.",
    "ce_type": "What happened.",
    "ce_subject": "The entity's id; also the record's key.",
    "ce_time": "When the hub committed it.",
    "ce_dataschema": "Names the JSON Schema of the payload.",
    "ce_sequence": "Twenty digits that grow with every commit of the hub. Ignore an event that is not greater than the "
    "last one you have seen of the same entity: it is a repetition.",
    "ce_partitionkey": "The entity's id.",
    "ce_traceparent": "W3C trace context of the source event; also in the header traceparent.",
    "content-type": "application/json",
}


def describe() -> dict[str, Any]:
    """The AsyncAPI 3.0 document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Golden records",
            "version": __version__,
            "description": "Changes of customers, contracts and products, as CloudEvents in Kafka's binary mode. "
            "At least once; ordered per entity (the key). One topic per domain. A record without value and headers is "
            "a tombstone: the entity under its key was erased, drop what you hold of it.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {domain.value: _channel(domain) for domain in sorted(Domain)},
        "operations": {
            f"publish_{domain.value}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{domain.value}"},
                "summary": f"The hub publishes what becomes of {domain.plural}.",
            }
            for domain in sorted(Domain)
        },
        "components": {
            "messages": {each: _message(each) for each in event_types()},
            "schemas": {each: payload_schema(each) for each in event_types()},
        },
    }


def _channel(domain: Domain) -> dict[str, Any]:
    kinds = [each for each in event_types() if each.startswith(event_type(domain, ""))]
    return {
        "address": topic_of(domain),
        "description": f"Everything that happens to golden records of {domain.plural}; key = entity id. Values are not "
        f"masked: whoever reads the topic must be cleared for {protects(domain).value} data.",
        "x-data-class": protects(domain).value,
        "messages": {each: {"$ref": f"#/components/messages/{each}"} for each in kinds},
        "bindings": {"kafka": {"topic": topic_of(domain), "bindingVersion": "0.5.0"}},
    }


def protects(domain: Domain) -> DataClass:
    """The most protected class that events of a domain carry: the clearance that readers of its topic need."""
    return max((each.data_class for each in ATTRIBUTES[domain]), key=list(DataClass).index)


def _message(event: str) -> dict[str, Any]:
    properties: dict[str, Any] = {name: {"type": "string", "description": text} for name, text in _HEADERS.items()}
    properties["ce_type"]["const"] = cloud_event_type(event)
    properties["ce_dataschema"]["const"] = schema_id(event)
    optional = {"ce_traceparent"}
    return {
        "name": cloud_event_type(event),
        "title": event,
        "summary": KINDS[event.partition(".")[2]],
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": properties,
            "required": [name for name in properties if name not in optional],
        },
        "payload": {"$ref": f"#/components/schemas/{event}"},
        "bindings": {
            "kafka": {"key": {"type": "string", "description": "The entity's id."}, "bindingVersion": "0.5.0"}
        },
    }


def documents() -> dict[Path, str]:
    """Every committed document and what it should say."""
    schemas = {SCHEMAS / f"{each}.v1.schema.json": _rendered(payload_schema(each)) for each in event_types()}
    return {DOCUMENT: _rendered(describe()), **schemas}


def _rendered(document: object) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write or check the committed documents; the exit code says whether they agree."""
    return write_or_check(arguments, documents(), frozenset(SCHEMAS.glob("*.json")), module="api.asyncapi")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
