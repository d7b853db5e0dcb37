"""Digests that two hubs with the same facts share: independent of ids, order of arrival and time."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from mdm.model.ids import CrosswalkKey


def golden_digest(members: Iterable[CrosswalkKey], values: Mapping[str, Any]) -> bytes:
    """SHA-256 over the sorted member keys and the golden values as canonical JSON: independent of ids and order."""
    content = [sorted(list(key) for key in members), values]
    return hashlib.sha256(canonical_json(content)).digest()


def canonical_json(value: Any) -> bytes:  # Any: whatever JSON can carry
    """One byte form for one JSON value: keys sorted, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
