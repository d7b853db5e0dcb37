"""Saved views of the review queue: filters that somebody gave a name."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from mdm.errors import Invalid
from mdm.store.tables_console import console_view

_MOST = 30


class SavedView(NamedTuple):
    view_id: int
    name: str
    query: str


def read_views(connection: Connection, owner: str) -> Sequence[SavedView]:
    """The views of a person by name."""
    rows = connection.execute(
        select(console_view.c.view_id, console_view.c.name, console_view.c.query)
        .where(console_view.c.owner == owner)
        .order_by(console_view.c.name)
    )
    return [SavedView(*row) for row in rows]


def save_view(connection: Connection, owner: str, name: str, query: str) -> None:
    """Save a view; one of the same name is replaced. The caller commits.

    Raises:
        Invalid: it has no name, a very long one, or there are too many.
    """
    title = " ".join(name.split())
    if not title or len(title) > 60:
        raise Invalid("A view needs a name of at most 60 characters.")
    held = connection.scalar(select(func.count()).where(console_view.c.owner == owner)) or 0
    if held >= _MOST:
        raise Invalid(f"There are {_MOST} views already.", action="Delete one of them first.")
    statement = insert(console_view).values(owner=owner, name=title, query=query)
    connection.execute(statement.on_conflict_do_update(index_elements=["owner", "name"], set_={"query": query}))


def delete_view(connection: Connection, owner: str, view_id: int) -> None:
    """Forget a view. The caller commits."""
    connection.execute(delete(console_view).where(console_view.c.owner == owner, console_view.c.view_id == view_id))
