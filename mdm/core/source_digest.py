"""Counts and digests of a table by bucket, worked out alike by its owner in SQL and by the hub from its mirror.

A bucket is a share of the rows by the MD5 of their key. Where a bucket's digest differs, its rows are compared one by
one; so a table of any size is held against its source with two small results and without giving rows away.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mdm.errors import OperatorError
from mdm.intake.contracts import Column, Contract
from mdm.intake.types import Kind
from mdm.model.ids import primary_key_text

_SEPARATOR: Final = "\x1f"
_NULL: Final = "\\N"

#: How a column's text is made in the source, for kinds whose text is the same there and here.
_SQL: Final = {
    Kind.TEXT: "rtrim({0}::text)",
    Kind.BOOLEAN: "{0}::text",
    Kind.INTEGER: "{0}::text",
    Kind.DECIMAL: "trim_scale({0}::numeric)::text",
    Kind.DATE: "to_char({0}, 'YYYY-MM-DD')",
    Kind.TIME: "to_char({0}, 'HH24:MI:SS.US')",
    Kind.TIMESTAMP: """to_char({0}, 'YYYY-MM-DD"T"HH24:MI:SS.US')""",
    Kind.TIMESTAMPTZ: """to_char({0} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
}


@dataclass(frozen=True, slots=True)
class BucketDigest:
    """Rows of one bucket, and MD5 over the sorted MD5s of their texts."""

    bucket: int
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class BucketDifference:
    """A bucket in which the source and the mirror differ."""

    bucket: int
    source_rows: int
    mirror_rows: int


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A row that only one side has (`missing` in the mirror, `surplus` there), or that differs."""

    key: str
    what: str


def compared_columns(contract: Contract) -> list[Column]:
    """The columns that are compared: those whose text is the same on both sides, by name."""
    return [column for name, column in sorted(contract.columns.items()) if column.type.kind in _SQL]


def left_out_columns(contract: Contract) -> list[Column]:
    """The columns that are not compared: arrays, JSON, binary, floating point, whose texts differ between systems."""
    return [column for name, column in sorted(contract.columns.items()) if column.type.kind not in _SQL]


def row_digest(contract: Contract, row: Mapping[str, Any]) -> str:
    """MD5 of a mirrored row's text; a column that is unknown counts as null."""
    texts = (_text(column, row.get(column.name)) for column in compared_columns(contract))
    return _md5(_SEPARATOR.join(texts))


def _text(column: Column, value: Any) -> str:  # Any: a canonical value
    if value is None:
        return _NULL
    match column.type.kind:
        case Kind.TEXT:
            return str(value).rstrip(" ")
        case Kind.BOOLEAN:
            return "true" if value else "false"
        case Kind.DECIMAL:
            text = str(value)
            return text.rstrip("0").rstrip(".") if "." in text else text
        case _:
            return str(value)


def bucket_digests(contract: Contract, rows: Iterable[Mapping[str, Any]], buckets: int) -> dict[int, BucketDigest]:
    """The mirror's side."""
    digests: dict[int, list[str]] = {}
    for row in rows:
        digests.setdefault(bucket_of(_key(contract, row), buckets), []).append(row_digest(contract, row))
    return {bucket: BucketDigest(bucket, len(mine), _md5("".join(sorted(mine)))) for bucket, mine in digests.items()}


def key_digests(
    contract: Contract, rows: Iterable[Mapping[str, Any]], wanted: Iterable[int], buckets: int
) -> dict[str, str]:
    """Key to digest of the mirror's rows in some buckets."""
    chosen = set(wanted)
    keyed = ((_key(contract, row), row) for row in rows)
    return {key: row_digest(contract, row) for key, row in keyed if bucket_of(key, buckets) in chosen}


def bucket_of(key: str, buckets: int) -> int:
    return int(_md5(key)[:8], 16) % buckets


def compare_buckets(source: Mapping[int, BucketDigest], mirror: Mapping[int, BucketDigest]) -> list[BucketDifference]:
    """Buckets that differ, by number."""
    return [
        BucketDifference(bucket, _rows(source, bucket), _rows(mirror, bucket))
        for bucket in sorted(source.keys() | mirror.keys())
        if source.get(bucket) != mirror.get(bucket)
    ]


def _rows(side: Mapping[int, BucketDigest], bucket: int) -> int:
    return side[bucket].rows if bucket in side else 0


def compare_rows(source: Mapping[str, str], mirror: Mapping[str, str]) -> Iterator[RowDifference]:
    """Rows that differ, by key."""
    for key in sorted(source.keys() | mirror.keys()):
        if key not in mirror:
            yield RowDifference(key, "missing")
        elif key not in source:
            yield RowDifference(key, "surplus")
        elif source[key] != mirror[key]:
            yield RowDifference(key, "differs")


def bucket_sql(contract: Contract, buckets: int) -> str:
    """The query for the owner of the source: bucket, rows, digest. Reads the table once.

    Raises:
        OperatorError: the source is no PostgreSQL.
    """
    names = ", ".join(f"{column.name} ({column.type.kind.value})" for column in left_out_columns(contract))
    remark = f"-- not compared: {names}\n" if names else ""
    return f"""{remark}with hashed as ({_hashed(contract, buckets)})
select bucket, count(*) as rows, md5(string_agg(digest, '' order by digest collate "C")) as digest
from hashed group by bucket order by bucket"""


def rows_sql(contract: Contract, buckets: int, wanted: Iterable[int]) -> str:
    """The query for the rows of some buckets: key, digest."""
    chosen = ", ".join(str(int(bucket)) for bucket in wanted)
    return f"""with hashed as ({_hashed(contract, buckets)})
select key, digest from hashed where bucket in ({chosen}) order by key"""


def _hashed(contract: Contract, buckets: int) -> str:
    if contract.encodings.database != "postgresql":
        raise OperatorError(
            f"{contract.system}.{contract.table} lies in {contract.encodings.database}; the query is for PostgreSQL.",
            action="Compare the counts by hand, or take an incremental snapshot of the table.",
        )
    key = " || '|' || ".join(f"replace({_quoted(name)}::text, '|', '||')" for name in contract.primary_key)
    texts = [
        f"coalesce({_SQL[column.type.kind].format(_quoted(column.name))}, '{_NULL}')"
        for column in compared_columns(contract)
    ]
    text = ",\n        ".join(texts)
    table = contract.topic.removeprefix(f"{contract.topic_prefix}.")
    name = ".".join(_quoted(part) for part in table.split("."))
    return f"""
    select {key} as key, ('x' || substr(md5({key}), 1, 8))::bit(32)::bigint % {buckets} as bucket,
        md5(concat_ws(E'\\x1f', {text})) as digest
    from {name}"""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _key(contract: Contract, row: Mapping[str, Any]) -> str:
    return primary_key_text(row, contract.primary_key)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
