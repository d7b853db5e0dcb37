"""Lists of golden records in the order of change, or by what a search finds: keyset pages, stable under writes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    Connection,
    FromClause,
    Integer,
    Select,
    Subquery,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.sql.elements import ColumnElement

from mdm.access import EVERYWHERE
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.read_golden import GOLDEN_COLUMNS, GoldenRow, golden_row
from mdm.store.scoped import visible
from mdm.store.tables import crosswalk, golden, record_reference, search_term
from mdm.store.tables_onboarding import verdict
from mdm.store.tables_placement import placement
from survivorship.writing import search_words

#: More words than this narrow nothing further; the rest is ignored so that a query cannot grow without bound.
MAX_WORDS = 8
#: A shorter beginning of a word would match a large part of all records.
_SHORTEST_PREFIX = 2
#: Entities of one word that are looked at for the others before all of every word are read.
_WALKED = 5000
#: A word that fewer terms meet than this is rare enough to look at each of their entities.
_FEW = 1000


class Place(NamedTuple):
    """Where a page ended: the last row's sort value and entity id."""

    sort: int
    entity_id: str


class LastVerdict(NamedTuple):
    """The decision of the last verdict of onboarding that is kept for an ERP."""

    erp: str
    decision: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to. `customer_names` keeps contracts whose customer is one of these source rows.

    Region, business unit and legal entity are labels of the placement; what is placed everywhere is of each of them.
    """

    q: str | None = None
    country: str | None = None
    status: str | None = None
    updated_since: datetime | None = None
    customer_names: tuple[CrosswalkKey, ...] | None = None
    #: For callers that may see identifiers only: by beginnings the others could find one out letter by letter. Whole
    #: words and whole identifiers find records for everybody; who asks with one knows it.
    beginnings: bool = False
    verdict: LastVerdict | None = None
    region: str | None = None
    business_unit: str | None = None
    legal_entity: str | None = None

    @property
    def placed(self) -> dict[str, str]:
        """The labels that are asked for, by their column of the placement."""
        labels = {
            "regions": self.region, "business_units": self.business_unit, "legal_entities": self.legal_entity,
        }  # fmt: skip
        return {column: label for column, label in labels.items() if label is not None}


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
    current = select(*GOLDEN_COLUMNS).where(golden.c.domain == domain.value, golden.c.known_to.is_(None))
    within = visible(connection, golden.c.entity_id)
    query = _narrowed(current.where(*within), filters) if within else _narrowed(current, filters)
    if filters.q is None:
        query = _page(query, golden.c.seq, golden.c.entity_id, after, limit)
    else:
        # The words of a query are folded as the words of records are.
        words = list(dict.fromkeys(search_words(filters.q)))[:MAX_WORDS]
        if not words:
            return []  # a query of nothing but punctuation finds nothing, rather than everything
        rare = _rare(connection, domain, words, filters.beginnings)
        if query is current and rare is None and (ids := _exactly(connection, domain, words, after, limit)):
            page = query.where(golden.c.entity_id.in_(ids)).order_by(golden.c.entity_id)
            return [Listed(golden_row(row), Place(-len(words), row.entity_id)) for row in connection.execute(page)]
        found = _found(domain, words, filters.beginnings, rare)
        if query is current:
            # Terms are held for current golden records only, so the page can be cut before the wide rows are read.
            found = _page(select(found.c.entity_id), found.c.sort, found.c.entity_id, after, limit).subquery()
        query = query.join(found, found.c.entity_id == golden.c.entity_id)
        query = _page(query, found.c.sort, golden.c.entity_id, after, limit)
    rows = connection.execute(query)
    return [Listed(golden_row(row[:-1]), Place(row.sort, row.entity_id)) for row in rows]


def _page(
    query: Select[*tuple[Any, ...]],
    sort: ColumnElement[int],
    entity_id: ColumnElement[str],
    after: Place | None,
    limit: int,
) -> Select[*tuple[Any, ...]]:
    """The part of a query behind `after`, by `sort` and entity id, with `sort` as its last column."""
    if after is not None:
        query = query.where(tuple_(sort, entity_id) > tuple_(literal(after.sort), literal(after.entity_id)))
    return query.add_columns(sort.label("sort")).order_by(sort, entity_id).limit(limit)


def _exactly(
    connection: Connection, domain: Domain, words: Sequence[str], after: Place | None, limit: int
) -> Sequence[str]:
    """A whole page of entities that have every word just as it is: they come first, in the order of their ids, so they
    can be read off the index of one word while the others are looked up. Empty where that does not fill the page.

    A legal form is in a third of all names: those that have it would be read, sorted and thrown away.
    """
    if after is not None and after.sort != -len(words):
        return []
    terms = search_term.c
    if len(words) > 1 and connection.scalar(
        select(1).where(terms.domain == domain.value, terms.term == "".join(words)).limit(1)
    ):
        return []  # a whole identifier comes before any words
    walked = select(terms.entity_id).where(terms.domain == domain.value, terms.term == words[0])
    if after is not None:
        walked = walked.where(terms.entity_id > after.entity_id)
    candidates = walked.order_by(terms.entity_id).limit(_WALKED).subquery()
    query = select(candidates.c.entity_id).order_by(candidates.c.entity_id).limit(limit)
    for word in words[1:]:
        other = search_term.alias()
        query = query.where(
            exists().where(
                other.c.domain == domain.value, other.c.term == word, other.c.entity_id == candidates.c.entity_id
            )
        )
    ids = list(connection.scalars(query))
    return ids if len(ids) == limit else []


def _rare(connection: Connection, domain: Domain, words: Sequence[str], beginnings: bool) -> str | None:
    """The word that the fewest terms meet, if they are few: a legal form or a trade is in half of all names."""
    if len(words) == 1:
        return None
    counts = [
        select(literal(number), select(func.count()).select_from(few.subquery()).scalar_subquery())
        for number, word in enumerate(words)
        for few in [select(search_term.c.term).where(_meets(domain, word, beginnings)).limit(_FEW)]
    ]
    number, count = min(connection.execute(union_all(*counts)), key=lambda each: (each[1], each[0]))
    return words[number] if count < _FEW else None


def _found(domain: Domain, words: Sequence[str], beginnings: bool, rare: str | None) -> Subquery:
    """Entities that have every word of the query (as a term or the beginning of one), or the query as one identifier.

    `sort` is smaller for better matches: minus the number of words met exactly, and least for an identifier.
    """
    if len(words) == 1:
        word = _with_term(domain, words[0], beginnings).subquery()
        return select(word.c.entity_id, (-word.c.exact).label("sort")).subquery()
    if rare is None:
        by_words = _with_each(domain, words, beginnings)
    else:
        by_words = _among(domain, rare, [word for word in words if word != rare], beginnings)
    whole = _with_term(domain, "".join(words), beginnings).subquery()
    by_identifier = select(whole.c.entity_id, (-whole.c.exact * (MAX_WORDS + 1)).label("sort"))
    both = union_all(by_words, by_identifier).subquery()
    return (
        select(both.c.entity_id, cast(func.min(both.c.sort), Integer).label("sort"))
        .group_by(both.c.entity_id)
        .subquery()
    )


def _with_each(domain: Domain, words: Sequence[str], beginnings: bool) -> Select[str, int]:
    """Entities that are met by every word: all of them are read for each, and counted."""
    each = union_all(*(_with_term(domain, word, beginnings) for word in words)).subquery()
    return (
        select(each.c.entity_id, (-func.sum(each.c.exact)).label("sort"))
        .group_by(each.c.entity_id)
        .having(func.count() == len(words))
    )


def _among(domain: Domain, rare: str, others: Sequence[str], beginnings: bool) -> Select[str, int]:
    """The same, when one word is in few entities: only these are looked at for the others."""
    few = _with_term(domain, rare, beginnings).subquery()
    joined: FromClause = few
    exact: ColumnElement[int] = few.c.exact
    for word in others:
        met = (
            select(func.max(case((search_term.c.term == word, 1), else_=0)).label("exact"))
            .where(search_term.c.entity_id == few.c.entity_id, _meets(domain, word, beginnings))
            .lateral()
        )
        joined = joined.join(met, met.c.exact.is_not(None))
        exact = exact + met.c.exact
    return select(few.c.entity_id, (-exact).label("sort")).select_from(joined)


def _with_term(domain: Domain, word: str, beginnings: bool) -> Select[str, int]:
    """Entities with a term that is, or begins with, this word; `exact` is 1 where it is."""
    return (
        select(search_term.c.entity_id, func.max(case((search_term.c.term == word, 1), else_=0)).label("exact"))
        .where(_meets(domain, word, beginnings))
        .group_by(search_term.c.entity_id)
    )


def _meets(domain: Domain, word: str, beginnings: bool) -> ColumnElement[bool]:
    """The terms of a domain that are this word, or begin with it."""
    if beginnings and len(word) >= _SHORTEST_PREFIX:
        return begins_with(domain, word)
    return and_(search_term.c.domain == domain.value, search_term.c.term == word)


def begins_with(domain: Domain, word: str) -> ColumnElement[bool]:
    """The terms of a domain that begin with this word."""
    term = search_term.c.term
    # ~>=~ and ~<~ compare byte by byte, which is what the text_pattern_ops index is ordered by. A LIKE with a bound
    # parameter would lose that index as soon as the statement runs from a cached plan.
    after = word[:-1] + chr(ord(word[-1]) + 1)
    return and_(search_term.c.domain == domain.value, term.op("~>=~")(word), term.op("~<~")(after))


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
    if filters.placed:
        query = query.where(
            exists(select(literal(1)).where(placement.c.entity_id == golden.c.entity_id, *_labelled(filters)))
        )
    if filters.verdict is not None:
        judged = select(verdict.c.entity_id).where(
            tuple_(verdict.c.erp, verdict.c.decision) == tuple_(*filters.verdict)
        )
        query = query.where(golden.c.entity_id.in_(judged))
    return query


def among(connection: Connection, domain: Domain, ids: Collection[str], filters: Filters) -> set[str]:
    """Those of the ids whose current golden record meets the filters, `q` aside."""
    found: Select[*tuple[Any, ...]] = select(golden.c.entity_id).where(
        golden.c.domain == domain.value, golden.c.known_to.is_(None), golden.c.entity_id.in_(sorted(ids))
    )
    return set(connection.scalars(_narrowed(found, filters)))


def _labelled(filters: Filters) -> list[ColumnElement[bool]]:
    return [
        placement.c[column].op("&&")(cast([label, EVERYWHERE], ARRAY(Text))) for column, label in filters.placed.items()
    ]


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
