"""Golden records that somebody means who did not write them as they are: by a platform's key, by the matcher's keys, by
a mistyped word. For the lists of the API and of the console, where no record has all words of a search."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from sqlalchemy import Connection, Engine

from api.routes.parameters import MAX_LIMIT
from mdm.access import Eyes, may_see
from mdm.core.rules import Rules
from mdm.hub.match import find_alike
from mdm.model.canonical import DataClass
from mdm.model.ids import Domain, EntityId
from mdm.store.read_models import Filters, GoldenRow, current_goldens, list_golden, rows_by_key
from mdm.store.read_spelling import respelt

#: Finds entities that resemble the words of a query, at most so many.
Alike: TypeAlias = Callable[[str, int], Sequence[EntityId]]


def may_search_beginnings(eyes: Eyes) -> bool:
    """Whether beginnings of words find records: not for those who could find out an identifier letter by letter."""
    return may_see(eyes, DataClass.CONFIDENTIAL)


def alike_by(engine: Engine, rules: Rules, domain: Domain) -> Alike:
    """The search that forgives mistakes in typing, by the matcher's keys."""

    def find(words: str, limit: int) -> Sequence[EntityId]:
        return find_alike(engine, rules, domain, words, limit)

    return find


def by_key(connection: Connection, domain: Domain, filters: Filters, limit: int) -> Sequence[GoldenRow]:
    """Golden records of source rows with this very key, in whichever platform: the number that ERP shows, say."""
    named = rows_by_key(connection, (filters.q or "").strip(), MAX_LIMIT)
    ids = list(dict.fromkeys(each.entity_id for each in named if each.entity_id is not None))
    return [row for row in current_goldens(connection, domain, ids) if _passes(row, filters)][:limit]


def resembling(
    connection: Connection, domain: Domain, filters: Filters, limit: int, alike: Alike
) -> Sequence[GoldenRow]:
    """Golden records that resemble the words of `filters.q`: by the matcher's keys, or else as they may be meant."""
    words = filters.q or ""
    # Other filters take some away, so then more are asked for than are shown.
    narrowing = (filters.country, filters.status, filters.updated_since, filters.customer_names)
    wanted = limit if all(each is None for each in narrowing) else MAX_LIMIT
    found = current_goldens(connection, domain, alike(words, wanted))
    rows = [row for row in found if _passes(row, filters)][:limit]
    # Terms are identifiers, too, and those are not guessed at by callers who may not see them.
    if rows or not filters.beginnings:
        return rows
    meant: dict[EntityId, GoldenRow] = {}
    for reading in respelt(connection, domain, words):
        for each in list_golden(connection, domain, replace(filters, q=reading), None, limit):
            meant.setdefault(each.row.entity_id, each.row)
    return list(meant.values())[:limit]


def _passes(row: GoldenRow, filters: Filters) -> bool:
    """Whether a record found by resemblance meets the other filters."""
    return (
        (filters.country is None or row.values.get("country") == filters.country)
        and (filters.status is None or row.values.get("status") == filters.status)
        and (filters.updated_since is None or row.known_from >= filters.updated_since)
        and filters.customer_names is None
    )
