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
from mdm.store.read_list import among
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
    return _passing(connection, domain, current_goldens(connection, domain, ids), filters)[:limit]


def resembling(
    connection: Connection, domain: Domain, filters: Filters, limit: int, alike: Alike
) -> Sequence[GoldenRow]:
    """Golden records that resemble the words of `filters.q`: by the matcher's keys, or else as they may be meant."""
    words = filters.q or ""
    # Other filters take some away, so then more are asked for than are shown.
    wanted = limit if _unfiltered(filters) else MAX_LIMIT
    rows = _passing(connection, domain, current_goldens(connection, domain, alike(words, wanted)), filters)[:limit]
    # Terms are identifiers, too, and those are not guessed at by callers who may not see them.
    if rows or not filters.beginnings:
        return rows
    meant: dict[EntityId, GoldenRow] = {}
    for reading in respelt(connection, domain, words):
        for each in list_golden(connection, domain, replace(filters, q=reading), None, limit):
            meant.setdefault(each.row.entity_id, each.row)
    return list(meant.values())[:limit]


def _passing(
    connection: Connection, domain: Domain, rows: Sequence[GoldenRow], filters: Filters
) -> Sequence[GoldenRow]:
    """The records found by resemblance, or by a key, that meet the other filters."""
    if _unfiltered(filters) or not rows:
        return rows
    meet = among(connection, domain, [row.entity_id for row in rows], filters)
    return [row for row in rows if row.entity_id in meet]


def _unfiltered(filters: Filters) -> bool:
    return replace(filters, q=None, beginnings=False) == Filters()
