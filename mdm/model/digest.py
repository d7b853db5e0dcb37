"""One byte form for one JSON value."""

import json
from typing import Any


def canonical_json(value: Any) -> bytes:  # Any: whatever JSON can carry
    """Keys sorted, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
