"""Generated companies as Debezium snapshot events, for measuring and testing the live path.

As a connector sends them, with every column of their table: one that is missing would be told as drift of the contract.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any

import orjson

from bench.companies import rows
from mdm.intake.catalogue import load_catalogue
from mdm.model.events import Message, Place

_NOW = "2024-01-01T00:00:00.000000Z"
_MICROS = 1_704_067_200_000_000
#: By table: its key column, and what its contract wants beside the columns that say who a company is.
_TABLES: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("crm", "account"): (
        "id",
        {"owner_id": "0050000000000001", "validation_status__c": "Validated", "is_deleted": False,
         "created_date": _NOW, "last_modified_date": _NOW, "system_modstamp": _NOW},
    ),
    ("billing", "customer"): (
        "id", {"delinquent": False, "balance": 0, "created": _MICROS // 1_000_000, "updated_at": _NOW},
    ),
    ("erp", "business_partner"): (
        "bp_number",
        {"tax_classification": "domestic", "blocked": False, "validated": True, "created_on": 19_600,
         "changed_at": _NOW},
    ),
    ("product", "tenant"): (
        "id", {"plan": "pro", "settings": "{}", "created_at": _MICROS, "updated_at": _MICROS},
    ),
}  # fmt: skip


def messages(records: int, seed: int = 1) -> Iterator[Message]:
    """One snapshot read per row, one partition per table, in the order of `rows`."""
    profiles = {(each.system, each.table): each for each in load_catalogue(None).profiles}
    empty = {table: dict.fromkeys(profiles[table].contract.columns) for table in _TABLES}
    offsets = {table: count() for table in _TABLES}
    lsn = count(1000, 8)
    for each in rows(records, seed):
        system, table, key = each.key
        column, wanted = _TABLES[system, table]
        position = next(lsn)
        envelope = {
            "before": None,
            "after": {**empty[system, table], column: key, **wanted, **each.row},
            "op": "r",
            "ts_ms": _MICROS // 1000,
            "source": {
                "connector": "postgresql", "name": system, "db": system, "schema": "public", "table": table,
                "snapshot": "true", "txId": 1, "lsn": position, "sequence": f'[null,"{position}"]',
                "ts_us": _MICROS, "ts_ms": _MICROS // 1000,
            },
            "transaction": None,
        }  # fmt: skip
        place = Place(f"{system}.public.{table}", 0, next(offsets[system, table]))
        yield Message(place, _MICROS // 1000, (), orjson.dumps({column: key}), orjson.dumps(envelope))
