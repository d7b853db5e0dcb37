"""Reading a list to its end."""

from typing import Any

from fastapi.testclient import TestClient


def pages(client: TestClient, address: str, **params: Any) -> list[dict[str, Any]]:
    """All items of a list, following `next`; fails when a page repeats a cursor."""
    items: list[dict[str, Any]] = []
    seen: set[str] = set()
    cursor: str | None = None
    while True:
        answer = client.get(address, params=params | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        cursor = answer.json()["next"]
        if cursor is None:
            return items
        assert cursor not in seen
        seen.add(cursor)
