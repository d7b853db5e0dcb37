"""Lists of golden records in the order of change, or by what a search finds: keyset pages, stable under writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.read_golden import GOLDEN_COLUMNS, GoldenRow, golden_row
from mdm.store.tables import crosswalk, golden, record_reference, search_term
from survivorship.writing import search_words

#: More words than this narrow nothing further; the rest is ignored so that a query cannot grow without bound.
MAX_WORDS = 8
#: A shorter beginning of a word would match a large part of all records.
_SHORTEST_PREFIX = 2


class Place(NamedTuple):
    """Where a page ended: the last row's sort value and entity id."""

    sort: int
    entity_id: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to. `customer_names` keeps contracts whose customer is one of these source rows."""

    q: str | None = None
    country: str | None = None
    status: str | None = None
    updated_since: datetime | None = None
    customer_names: tuple[CrosswalkKey, ...] | None = None
    #: False for callers that may not see identifiers: by beginnings they could find one out letter by letter. Whole
    #: words and whole identifiers find records for everybody; who asks with one knows it.
    beginnings: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a page and where it stands."""

    row: GoldenRow
    place: Place


def list_golden(
    connection: Connection, domain: Domain, filters: Filters, after: Place | None, limit: int
) -> Sequence[Listed]:
    """Up to `limit` current golden records after `after`.

    Without `q` in the order of their last change, oldest first: a record that changes while pages are read moves to the
    end and is met (again) there, so nothing is missed. With `q` best matches first, then by entity id.
    """
    # The words of a query are folded as the words of records are.
    words = None if filters.q is None else list(dict.fromkeys(search_words(filters.q)))[:MAX_WORDS]
    if words == []:
        return []  # a query of nothing but punctuation finds nothing, rather than everything
    found = None if words is None else _found(domain, words, filters.beginnings)
    sort = golden.c.seq if found is None else found.c.sort
    query = select(*GOLDEN_COLUMNS, sort.label("sort")).where(
        golden.c.domain == domain.value, golden.c.known_to.is_(None)
    )
    if found is not None:
        query = query.join(found, found.c.entity_id == golden.c.entity_id)
    query = _narrowed(query, filters)
    if after is not None:
        query = query.where(tuple_(sort, golden.c.entity_id) > tuple_(literal(after.sort), literal(after.entity_id)))
    rows = connection.execute(query.order_by(sort, golden.c.entity_id).limit(limit))
    return [Listed(golden_row(row[:-1]), Place(row.sort, row.entity_id)) for row in rows]


def _found(domain: Domain, words: Sequence[str], beginnings: bool) -> Subquery:
    """Entities that have every word of the query (as a term or the beginning of one), or the query as one identifier.

    `sort` is smaller for better matches: minus the number of words met exactly, and least for an identifier.
    """
    each = union_all(*(_with_word(domain, word, beginnings) for word in words)).subquery()
    by_words = (
        select(each.c.entity_id, (-func.sum(each.c.exact)).label("sort"))
        .group_by(each.c.entity_id)
        .having(func.count() == len(words))
    )
    by_identifier = select(search_term.c.entity_id, literal(-MAX_WORDS - 1).label("sort")).where(
        search_term.c.domain == domain.value, search_term.c.term == "".join(words)
    )
    both = union_all(by_words, by_identifier).subquery()
    return (
        select(both.c.entity_id, cast(func.min(both.c.sort), Integer).label("sort"))
        .group_by(both.c.entity_id)
        .subquery()
    )


def _with_word(domain: Domain, word: str, beginnings: bool) -> Select[str, int]:
    term = search_term.c.term
    matches = term == word
    if beginnings and len(word) >= _SHORTEST_PREFIX:
        # ~>=~ and ~<~ compare byte by byte, which is what the text_pattern_ops index is ordered by. A LIKE with a bound
        # parameter would lose that index as soon as the statement runs from a cached plan.
        begins = and_(term.op("~>=~")(word), term.op("~<~")(word[:-1] + chr(ord(word[-1]) + 1)))
        matches = or_(matches, begins)
    return (
        select(search_term.c.entity_id, func.max(case((term == word, 1), else_=0)).label("exact"))
        .where(search_term.c.domain == domain.value, matches)
        .group_by(search_term.c.entity_id)
    )


def _narrowed(query: Select[*tuple[Any, ...]], filters: Filters) -> Select[*tuple[Any, ...]]:
    values = golden.c["values"]
    if filters.country is not None:
        query = query.where(values["country"].astext == filters.country)
    if filters.status is not None:
        query = query.where(values["status"].astext == filters.status)
    if filters.updated_since is not None:
        query = query.where(golden.c.known_from >= filters.updated_since)
    if filters.customer_names is not None:
        query = _of_customer(query, filters.customer_names)
    return query


def _of_customer(query: Select[*tuple[Any, ...]], names: Sequence[CrosswalkKey]) -> Select[*tuple[Any, ...]]:
    """Contracts whose surviving customer reference is one of these names.

    The references of the member rows lead to the candidates by index; the golden value has the last word, because a
    member may have named another customer and lost.
    """
    wanted = [tuple(name) for name in names]
    target = (record_reference.c.system, record_reference.c.type, record_reference.c.key)
    candidates = (
        select(crosswalk.c.entity_id)
        .join(record_reference, record_reference.c.rec_id == crosswalk.c.rec_id)
        .where(tuple_(*target).in_(wanted))
    )
    customer = golden.c["values"]["customer"]
    surviving = (customer["system"].astext, customer["type"].astext, customer["key"].astext)
    return query.where(golden.c.entity_id.in_(candidates), tuple_(*surviving).in_(wanted))
