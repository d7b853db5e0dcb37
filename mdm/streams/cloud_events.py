"""An announcement as a CloudEvent in Kafka's binary mode: attributes in headers, the payload as it is, key = entity."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from cloudevents.core.bindings.kafka import to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from mdm.model.announcements import schema_id
from mdm.model.ids import Domain
from mdm.streams.publisher import Record

_FORMAT: Final = JSONFormat()


def topic_of(domain: Domain) -> str:
    """The topic of a domain's golden records."""
    return f"mdm.{domain.value}.golden.v1"


def tombstone(domain: Domain, entity_id: str, at: datetime) -> Record:
    """What follows the last event of an erased entity: nothing of it needs to stay in the topic."""
    return Record(topic_of(domain), entity_id.encode(), None, (), int(at.timestamp() * 1000))


def cloud_event_type(event: str) -> str:
    """The CloudEvents type of an announcement's type: `customer.changed` becomes `mdm.customer.changed.v1`."""
    return f"mdm.{event}.v1"


def cloud_event(
    *,
    event_id: str,
    source: str,
    event: str,
    domain: Domain,
    entity_id: str,
    seq: int,
    at: datetime,
    payload: Mapping[str, Any],
    traceparent: str | None,
) -> Record:
    """The record to publish.

    `sequence` grows with every commit of the hub: a consumer that remembers the last one per entity recognises what
    was delivered twice, or again after something newer.
    """
    attributes: dict[str, Any] = {
        "id": event_id,
        "source": source,
        "type": cloud_event_type(event),
        "specversion": "1.0",
        "subject": entity_id,
        "time": at,
        "datacontenttype": "application/json",
        "dataschema": schema_id(event),
        "sequence": f"{seq:020d}",
        "partitionkey": entity_id,
    }
    if traceparent is not None:
        attributes["traceparent"] = traceparent
    message = to_binary(CloudEvent(attributes, dict(payload)), _FORMAT)
    headers = tuple(message.headers.items())
    if traceparent is not None:
        headers = (*headers, ("traceparent", traceparent.encode()))  # where tracing agents look
    return Record(topic_of(domain), entity_id.encode(), message.value, headers, int(at.timestamp() * 1000))
