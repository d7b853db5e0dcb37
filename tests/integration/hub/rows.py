"""Rows of billing customers as a test wants them, in the form of the sample world's messages."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import orjson

from mdm.hub.process import Pipeline, process
from mdm.model.events import Message, Place
from mdm.model.ids import CrosswalkKey
from tests.integration.hub.conftest import world_messages

_TOPIC, _INVOICES = "billing.public.customer", "billing.public.invoice"


@cache
def _pattern(topic: str = _TOPIC) -> Message:
    return next(
        each
        for each in world_messages()
        if each.place.topic == topic and orjson.loads(each.value or b"{}").get("after")
    )


def take_in(pipeline: Pipeline, rows: Sequence[Mapping[str, Any]], first: int = 0, *, gone: bool = False) -> None:
    """Consume these rows, their other columns empty, as messages number `first` and following; deleted if `gone`."""
    process(pipeline, "test", [message_of(first + number, row, gone=gone) for number, row in enumerate(rows)])


def billed(key: str) -> CrosswalkKey:
    """The row of this id."""
    return CrosswalkKey("billing", "customer", key)


_KEPT = {"currency", "delinquent", "balance", "metadata", "created", "updated_at"}


def message_of(number: int, row: Mapping[str, Any], *, gone: bool = False, partition: int = 9) -> Message:
    """The message number so many of a partition, which says that there is this row, or that it is deleted."""
    pattern = _pattern()
    value = orjson.loads(pattern.value or b"{}")
    empty = {name: each if name in _KEPT else None for name, each in value["after"].items()}
    lsn = 10**12 + number
    stated = {**empty, **row}
    value |= {"before": stated, "after": None, "op": "d"} if gone else {"before": None, "after": stated, "op": "c"}
    value["source"] |= {"lsn": lsn, "sequence": f'["{lsn}","{lsn}"]', "snapshot": "false"}
    return replace(
        pattern,
        place=Place(_TOPIC, partition, number),
        key=orjson.dumps({"id": row["id"]}),
        value=orjson.dumps(value),
    )


def invoice_of(number: int, customer: str, called: str) -> Message:
    """An invoice of a billing customer, in the form of the sample world's messages: message number so many."""
    pattern = _pattern(_INVOICES)
    value = orjson.loads(pattern.value or b"{}")
    row = value["after"] | {"id": f"in_o{number:03}", "number": called, "customer": customer, "subscription": None}
    lsn = 10**12 + number
    value |= {"before": None, "after": row, "op": "c"}
    value["source"] |= {"lsn": lsn, "sequence": f'["{lsn}","{lsn}"]', "snapshot": "false"}
    place, key = Place(_INVOICES, 9, number), orjson.dumps({"id": row["id"]})
    return replace(pattern, place=place, key=key, value=orjson.dumps(value))
