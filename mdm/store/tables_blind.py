"""Tables of blind samples: pairs that stewards judge by nothing but what the two records state."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from mdm.store.tables_base import metadata, time_column

# A sample of a domain as it was drawn. One is open per domain at a time.
blind_sample = Table(
    "blind_sample",
    metadata,
    Column("sample_id", BigInteger, Identity(always=True), primary_key=True),
    Column("domain", Text, nullable=False),
    Column("seed", Text, nullable=False),  # draws the same again from the same hub
    Column("model", Text, nullable=False),  # fingerprint of the model that had decided
    Column("strata", JSONB, nullable=False),  # {stratum: {size, counted, drawn}}
    Column("drawn_by", Text, nullable=False),
    time_column("drawn_at"),
    time_column("closed_at", nullable=True),
    Column("closed_by", Text),
    Column("figures", JSONB),  # what it told when it was closed: [[platform or '', measure, bound, share]]
    Index("uq_blind_sample_open", "domain", unique=True, postgresql_where=text("closed_at is null")),
)

# A pair of a sample, with what the hub had made of it; nobody is shown that before the pair is judged.
blind_pair = Table(
    "blind_pair",
    metadata,
    Column("pair_id", BigInteger, Identity(always=True), primary_key=True),
    Column("sample_id", BigInteger, ForeignKey("blind_sample.sample_id"), nullable=False),
    Column("stratum", Text, nullable=False),
    Column("a", BigInteger, nullable=False),
    Column("b", BigInteger, nullable=False),
    Column("a_system", Text, nullable=False),
    Column("b_system", Text, nullable=False),
    Column("weight", Double),
    CheckConstraint("a < b", name="ordered"),
    CheckConstraint("stratum in ('joined','asked','near','unmet','far')", name="stratum"),
    Index(None, "sample_id"),
)

# What a person said of a pair, once. It changes no golden record.
blind_answer = Table(
    "blind_answer",
    metadata,
    Column("pair_id", BigInteger, ForeignKey("blind_pair.pair_id"), nullable=False),
    Column("person", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    time_column("at"),
    PrimaryKeyConstraint("pair_id", "person"),
    CheckConstraint("verdict in ('same','not_same','unsure')", name="verdict"),
)
