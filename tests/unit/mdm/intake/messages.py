"""Builds catalogues of one small table, and messages about it."""

import json
from pathlib import Path
from typing import Any

from mdm.intake.catalogue import Catalogue, load_catalogue
from mdm.model.events import Message, Place

TOPIC = "shop.public.part"

CONTRACT = """\
apiVersion: v3.0.2
kind: DataContract
id: shop-events
version: 1.0.0
status: active
team:
  - {{username: parts-desk, role: owner}}
customProperties:
  - {{property: system, value: shop}}
  - {{property: topicPrefix, value: shop}}
  - {{property: decimals, value: {decimals}}}
  - {{property: mode, value: {mode}}}
  - {{property: ignoredTopics, value: shop.dbz.signal shop.public.log}}
  - {{property: role, value: erp}}
schema:
  - name: part
    physicalName: public.part
    customProperties:
      - {{property: truncate, value: {truncate}}}
    properties:
      - {{name: id, physicalType: bigint, required: true, primaryKey: true}}
      - {{name: name, physicalType: text, required: true}}
      - {{name: price, physicalType: "numeric(10,2)"}}
      - {{name: made_on, physicalType: date}}
      - {{name: colour, physicalType: text, customProperties: [{{property: mayBeAbsent, value: "true"}}]}}
"""


def catalogue(
    folder: Path, *, mode: str = "evolve", truncate: str = "hold", decimals: str = "string", contract: str = CONTRACT
) -> Catalogue:
    """A catalogue with the table `shop.part`."""
    file = folder / "shop" / "contract.odcs.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(contract.format(mode=mode, truncate=truncate, decimals=decimals), "utf-8")
    return load_catalogue(folder)


def part(**columns: Any) -> dict[str, Any]:
    return {"id": 7, "name": "bolt", "price": "1.50", "made_on": 19698, **columns}


def envelope(op: str = "c", **fields: Any) -> dict[str, Any]:
    """An envelope with a source block at LSN 100 after a commit at LSN 90."""
    source = {"ts_us": 1_700_000_000_000_000, "lsn": 100, "sequence": '["90","100"]', "txId": 5, "snapshot": "false"}
    return {
        "before": None,
        "after": None if op in "dt" else part(),
        "op": op,
        "transaction": None,
        **fields,
        "source": source | fields.pop("source", {}),
    }


def message(
    value: Any,
    key: Any = ...,
    *,
    topic: str = TOPIC,
    headers: tuple[tuple[str, bytes], ...] = (),
    offset: int = 0,
) -> Message:
    """A message; a value or key that is not bytes is written as JSON, the key is by default that of `part()`."""
    return Message(Place(topic, 0, offset), 0, headers, written({"id": 7} if key is ... else key), written(value))


def written(value: Any) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    return json.dumps(value).encode()
