"""Tables about identifiers that a source may give to another company (see mdm.core.recycled)."""

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from mdm.store.tables_base import metadata, time_column

# Numbers of one company alone that a row states or ever stated. Derived from its history; only erasure takes any out.
identifier_use = Table(
    "identifier_use",
    metadata,
    Column("identifier", Text, nullable=False),  # type:country:number
    Column("rec_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("identifier", "rec_id"),
    Index(None, "rec_id"),
)

# Identifiers of a table that went from one legal entity to another: numbers, or a row's own name. Derived.
recycled_identifier = Table(
    "recycled_identifier",
    metadata,
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("identifier", Text, nullable=False),  # type:country:number, or system:table:key
    Column("question", Text, nullable=False, unique=True),  # names the exception about it
    Column("holders", JSONB, nullable=False),  # [[rows], since, until or null], the first holder first
    time_column("since"),  # when the latest holder began
    Column("batch_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("system", "type", "identifier"),
)

# Recycled identifiers of which a person says that they belong to one legal entity after all: they count again.
identifier_kept = Table(
    "identifier_kept",
    metadata,
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("identifier", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    time_column("created_at"),
    PrimaryKeyConstraint("system", "type", "identifier"),
)
