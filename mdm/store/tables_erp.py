"""Tables of the ERP view: which version of a golden record each ERP is served, and how far versions were judged."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from mdm.store.tables_base import metadata, time_column

# The last version that passed the gates, and the one that was judged last. Where they differ a change is held back.
erp_version = Table(
    "erp_version",
    metadata,
    Column("entity_id", Text, ForeignKey("entity.entity_id"), nullable=False),
    Column("erp", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("version", Integer),  # what is served; none when no version ever passed
    # When it began to be served: the order of the view, so that whoever pages through it meets what passed meanwhile.
    time_column("since", nullable=True),
    Column("judged", Integer, nullable=False),
    time_column("judged_at"),
    Column("reasons", JSONB, nullable=False),  # why `judged` is not served: gate, code, field, attribute; no values
    Column("told", Boolean, nullable=False),  # whether what became of `judged` was announced, where it is to be
    PrimaryKeyConstraint("entity_id", "erp"),
    CheckConstraint("(version is null) = (since is null)", name="served_since"),
    CheckConstraint("(reasons = '[]'::jsonb) = (version is not null and version = judged)", name="held_for_a_reason"),
    Index(
        "ix_erp_version_order",
        "erp",
        "domain",
        "since",
        "entity_id",
        postgresql_where=text("version is not null"),
    ),
    Index("ix_erp_version_held", "erp", "domain", "entity_id", postgresql_where=text("reasons <> '[]'::jsonb")),
    Index("ix_erp_version_untold", "entity_id", "erp", postgresql_where=text("not told")),
)

# How far the golden versions of a domain were judged for an ERP, in the order of the change feed, and by which gates.
erp_gate = Table(
    "erp_gate",
    metadata,
    Column("erp", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("gates", Text, nullable=False),  # digest of gates and rules: others judge everything anew
    time_column("since"),  # the last instant that was given out as `erp_version.since`
    PrimaryKeyConstraint("erp", "domain"),
)
