"""Source rows as the hub holds them: the mirror, its history, and what rows say about each other."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from mdm.store.tables_base import metadata, time_column

# The mirror of every source row, live or deleted, in its last version.
source_record = Table(
    "source_record",
    metadata,
    Column("rec_id", BigInteger, Identity(always=False), primary_key=True),
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("domain", Text),
    Column("deleted", Boolean, nullable=False),
    Column("operation", Text, nullable=False),  # Debezium operation of the event that gave this version
    Column("row", JSON),  # source columns; null until a row was seen
    Column("attributes", JSON),
    Column("comparison", JSON),
    Column("refs", JSON),  # [[role, system, type, key]]
    Column("rejected", JSON),
    Column("pos_major", BigInteger, nullable=False),
    Column("pos_minor", BigInteger, nullable=False),
    Column("pos_order", BigInteger, nullable=False),
    Column("pos_rank", SmallInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("lsn", BigInteger),
    Column("transaction", Text),
    time_column("event_time"),
    Column("previous_key", Text),  # this row's key before a primary-key change
    Column("unresolved", ARRAY(Text)),  # unchanged columns whose value no event has brought yet
    Column("batch_id", BigInteger, nullable=False),
    UniqueConstraint("system", "type", "key"),
    Index(None, "domain", "rec_id", postgresql_where=text("not deleted and domain is not null")),
    # Which countries there are customers of: a search by a mistyped name looks under the keys of each of them.
    Index(
        "ix_source_record_country",
        "domain",
        text("(comparison->>'country')"),
        postgresql_where=text("not deleted and comparison->>'country' is not null"),
    ),
    # Which rows were re-keyed from one: they may wait for a column of it, and have said what it has said.
    Index(
        "ix_source_record_rekeyed", "system", "type", "previous_key", postgresql_where=text("previous_key is not null")
    ),
)

# Every version of every source row, append-only: what replay, rebuild and verify start from.
record_history = Table(
    "record_history",
    metadata,
    Column("rec_id", BigInteger, nullable=False),
    Column("pos_major", BigInteger, nullable=False),
    Column("pos_minor", BigInteger, nullable=False),
    Column("pos_order", BigInteger, nullable=False),
    Column("pos_rank", SmallInteger, nullable=False),
    Column("operation", Text, nullable=False),
    Column("row", JSON),
    Column("unavailable", ARRAY(Text)),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("lsn", BigInteger),
    Column("transaction", Text),
    time_column("event_time"),
    Column("previous_key", Text),
    Column("next_key", Text),
    Column("batch_id", BigInteger, nullable=False),
    Index(None, "rec_id"),
)

# A truncated table: rows older than the watermark are gone.
truncation = Table(
    "truncation",
    metadata,
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("pos_major", BigInteger, nullable=False),
    Column("pos_minor", BigInteger, nullable=False),
    Column("pos_order", BigInteger, nullable=False),
    Column("pos_rank", SmallInteger, nullable=False),
    Column("place", Text, nullable=False),
    time_column("event_time"),
    PrimaryKeyConstraint("system", "type", "pos_major", "pos_minor", "pos_order"),
)

# A source that was taken out of service. While it is, its tables have a watermark behind everything they can say.
source_retirement = Table(
    "source_retirement",
    metadata,
    Column("retirement_id", BigInteger, Identity(always=True), primary_key=True),
    Column("system", Text, nullable=False),
    Column("state", Text, nullable=False),  # retiring, retired, restoring, restored
    Column("reason", Text, nullable=False),
    Column("retired_by", Text, nullable=False),
    time_column("retired_at"),
    Column("restored_by", Text),
    time_column("restored_at", nullable=True),
    Column("restored_reason", Text),
    CheckConstraint("state in ('retiring','retired','restoring','restored')", name="state"),
    CheckConstraint("(restored_by is null) = (state in ('retiring','retired'))", name="restored"),
    Index("ix_source_retirement_now", "system", unique=True, postgresql_where=text("state <> 'restored'")),
)

# The columns of a table as its newest event had them, in their order.
table_shape = Table(
    "table_shape",
    metadata,
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("columns", ARRAY(Text), nullable=False),
    Column("pos_major", BigInteger, nullable=False),
    Column("pos_minor", BigInteger, nullable=False),
    Column("pos_order", BigInteger, nullable=False),
    PrimaryKeyConstraint("system", "type"),
)

# Who points at whom. The target need not have arrived yet.
record_reference = Table(
    "record_reference",
    metadata,
    Column("rec_id", BigInteger, nullable=False),
    Column("role", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Index(None, "rec_id"),
    Index(None, "system", "type", "key"),
)

#: A code without what people add to it or leave out: signs, spaces, case.
ALIAS_FORM = "upper(regexp_replace({}, '[^[:alnum:]]', '', 'g'))"

# Other names of a record inside its platform (an article code, a short id).
record_alias = Table(
    "record_alias",
    metadata,
    Column("rec_id", BigInteger, nullable=False),
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Index(None, "rec_id"),
    Index(None, "system", "type", "key"),
    Index("ix_record_alias_form", "system", "type", text(ALIAS_FORM.format("key"))),
)

# What one record states about another (see mdm.model.records.Evidence). The owner need not have arrived yet.
record_evidence = Table(
    "record_evidence",
    metadata,
    Column("rec_id", BigInteger, nullable=False),
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("token", Text, nullable=False),
    Index(None, "rec_id"),
    Index(None, "system", "type", "key"),
    Index(None, "token"),
)
