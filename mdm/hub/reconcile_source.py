"""Does the hub's mirror hold what the source table holds? Compared by bucket, then row by row where they differ."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from mdm.clock import Clock
from mdm.core.source_digest import (
    BucketDifference,
    BucketDigest,
    RowDifference,
    bucket_digests,
    bucket_sql,
    compare_buckets,
    compare_rows,
    key_digests,
    left_out_columns,
    rows_sql,
)
from mdm.errors import NotFound, OperatorError
from mdm.intake.catalogue import Catalogue
from mdm.intake.contracts import Contract
from mdm.store import source_differences
from mdm.store.reading import snapshot
from mdm.store.rows import live_rows
from mdm.store.unit_of_work import unit_of_work

#: Enough that a difference concerns few rows, few enough to send around.
BUCKETS = 64


@dataclass(frozen=True, slots=True)
class SourceComparison:
    """Rows on both sides, buckets that differ, and their rows where the source could be asked for them.

    Attributes:
        left_out: columns that were not compared, because their text is not the same on both sides.
    """

    system: str
    table: str
    source_rows: int
    mirror_rows: int
    buckets: tuple[BucketDifference, ...]
    rows: tuple[RowDifference, ...] | None
    left_out: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        return not self.buckets


def contract_of(catalogue: Catalogue, system: str, table: str) -> Contract:
    """The contract of a table.

    Raises:
        NotFound: the hub knows no such table.
    """
    profile = catalogue.profile(system, table)
    if profile is None:
        raise NotFound(f"No contract describes {system}.{table}.", action="`mdm contracts list` has the tables.")
    return profile.contract


def compare_with_result(
    engine: Engine, contract: Contract, result: Iterable[BucketDigest], buckets: int = BUCKETS
) -> SourceComparison:
    """Hold the mirror against what the owner's run of `bucket_sql` gave."""
    source = {each.bucket: each for each in result}
    mirror = bucket_digests(contract, _mirror(engine, contract), buckets)
    return _told(contract, source, mirror, None)


def compare_with_source(engine: Engine, contract: Contract, url: URL | str, buckets: int = BUCKETS) -> SourceComparison:
    """Ask the source database itself, and go down to the rows of buckets that differ.

    Changes on their way through the feed show as differences: compare again when the feed has come to rest.

    Raises:
        OperatorError: the source cannot be asked.
    """
    remote = create_engine(url, connect_args={"application_name": "mdm reconcile"})
    try:
        with remote.connect() as connection:
            asked = connection.execute(text(_escaped(bucket_sql(contract, buckets))))
            source = {row[0]: BucketDigest(row[0], row[1], row[2]) for row in asked}
            mirror = bucket_digests(contract, _mirror(engine, contract), buckets)
            differing = [each.bucket for each in compare_buckets(source, mirror)]
            rows: tuple[RowDifference, ...] = ()
            if differing:
                query = text(_escaped(rows_sql(contract, buckets, differing)))
                theirs = {row[0]: row[1] for row in connection.execute(query)}
                mine = key_digests(contract, _mirror(engine, contract), differing, buckets)
                rows = tuple(compare_rows(theirs, mine))
    except SQLAlchemyError as error:
        raise OperatorError(
            f"The source cannot be asked: {str(getattr(error, 'orig', error)).strip()}",
            action="Check the URL and the right to read the table, or give the owner the query (--sql).",
        ) from error
    finally:
        remote.dispose()
    return _told(contract, source, mirror, rows)


def _escaped(query: str) -> str:
    # A colon starts a parameter, except in a cast.
    return query.replace("HH24:MI:SS", "HH24\\:MI\\:SS")


def _told(
    contract: Contract,
    source: Mapping[int, BucketDigest],
    mirror: Mapping[int, BucketDigest],
    rows: tuple[RowDifference, ...] | None,
) -> SourceComparison:
    return SourceComparison(
        system=contract.system,
        table=contract.table,
        source_rows=sum(each.rows for each in source.values()),
        mirror_rows=sum(each.rows for each in mirror.values()),
        buckets=tuple(compare_buckets(source, mirror)),
        rows=rows,
        left_out=tuple(column.name for column in left_out_columns(contract)),
    )


def note_comparison(engine: Engine, clock: Clock, contract: Contract, found: SourceComparison) -> None:
    """Raise an exception with the contract's owner where the two differ; close it where they agree again."""
    with unit_of_work(engine, clock, "reconcile") as work:
        if found.agrees:
            source_differences.close(work, contract.system, contract.table)
        else:
            source_differences.tell(work, contract.system, contract.table, _in_words(found), contract.owner)


def _in_words(found: SourceComparison) -> str:
    """Counts only: keys may be personal data."""
    what = Counter(each.what for each in found.rows or ())
    rows = ", ".join(f"{number} {name}" for name, number in sorted(what.items()))
    return (
        f"The source has {found.source_rows} rows of {found.system}.{found.table}, the mirror {found.mirror_rows}; "
        f"{len(found.buckets)} buckets differ{f' ({rows})' if rows else ''}. {remedy(found)}"
    )


def remedy(found: SourceComparison) -> str:
    """What mends such a difference. A snapshot sends the rows that are there, and nothing of those that are not."""
    what = {each.what for each in found.rows or ()}
    surplus = found.mirror_rows > found.source_rows if found.rows is None else "surplus" in what
    told = "Take surplus rows out with --url and --take-out WHY: their deletes were lost, and no snapshot has them."
    snapshot = "Take an incremental snapshot of the table."
    return " ".join([snapshot] * (what != {"surplus"}) + [told] * surplus)


def _mirror(engine: Engine, contract: Contract) -> Iterator[Mapping[str, Any]]:
    with snapshot(engine) as work:
        yield from live_rows(work, contract.system, contract.table)
