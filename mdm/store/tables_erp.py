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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

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
    time_column("due", nullable=True),  # when what waits for other versions only is judged again
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
    Index("ix_erp_version_due", "erp", "domain", "due", postgresql_where=text("due is not null")),
    Index("ix_erp_version_untold", "entity_id", "erp", postgresql_where=text("not told")),
)

# A change of sensitive attributes against what an ERP is served: asked about once, and what became of it. One that was
# agreed to lets through versions that hold these very values; when the values differ no longer, the row goes.
erp_question = Table(
    "erp_question",
    metadata,
    Column("entity_id", Text, ForeignKey("entity.entity_id"), nullable=False),
    Column("erp", Text, nullable=False),
    Column("change", Text, nullable=False),  # digest of the golden record and both values of each attribute; no values
    Column("attributes", ARRAY(Text), nullable=False),
    Column("served", Integer, nullable=False),
    Column("version", Integer, nullable=False),  # the first that held the values
    Column("status", Text, nullable=False, server_default="open"),  # open, approved, rejected
    Column("proposal_id", BigInteger, ForeignKey("proposal.proposal_id")),  # none until it was asked
    PrimaryKeyConstraint("entity_id", "erp"),
    CheckConstraint("status in ('open','approved','rejected')", name="status"),
    CheckConstraint("status = 'open' or proposal_id is not null", name="answered_when_asked"),
    Index(None, "proposal_id"),
    Index("ix_erp_question_change", "entity_id", "change"),
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
