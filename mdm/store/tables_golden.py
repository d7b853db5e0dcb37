"""Golden records in every version, and the words they are found by."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from mdm.store.tables_base import metadata, time_column

# Every version of every golden record; the current one has no known_to.
golden = Table(
    "golden",
    metadata,
    Column("entity_id", Text, ForeignKey("entity.entity_id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("domain", Text, nullable=False),
    Column("name", Text, nullable=False),  # display name
    Column("values", JSONB, nullable=False),
    Column("lineage", JSONB, nullable=False),
    Column("members", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of values and member keys
    # SHA-256 of what the values rest on: which records won and lost, by which rules, and the search terms. When only
    # this changes, lineage and terms are renewed in place: the golden record says the same, for another reason.
    Column("support", LargeBinary, nullable=False),
    Column("ruleset", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),  # publication << 20 | position: the order of the change feed
    Column("batch_id", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    time_column("known_from"),
    time_column("known_to", nullable=True),
    PrimaryKeyConstraint("entity_id", "version"),
    Index("uq_golden_current", "entity_id", unique=True, postgresql_where=text("known_to is null")),
    Index("ix_golden_list", "domain", "seq", "entity_id", postgresql_where=text("known_to is null")),
)

# Words and identifiers under which a golden record can be found.
search_term = Table(
    "search_term",
    metadata,
    Column("domain", Text, nullable=False),
    Column("term", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    PrimaryKeyConstraint("domain", "term", "entity_id"),
    Index(None, "entity_id"),
    Index("ix_search_term_prefix", "domain", "term", postgresql_ops={"term": "text_pattern_ops"}),
)
