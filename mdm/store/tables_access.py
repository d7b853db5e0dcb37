"""Who read which golden record, where what they saw is confidential: counts by the hour, for the people it is about."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from mdm.store.tables_base import metadata, time_column

# Reads of one golden record by one caller in one hour. Written in batches; no query and no value is in it.
record_access = Table(
    "record_access",
    metadata,
    Column("entity_id", Text, nullable=False),
    Column("key_id", Text, nullable=False),  # API key, account or person of the identity provider
    Column("way", Text, nullable=False),  # api, console
    time_column("hour"),
    Column("role", Text, nullable=False),
    Column("reads", Integer, nullable=False),
    time_column("first_at"),
    time_column("last_at"),
    PrimaryKeyConstraint("entity_id", "key_id", "way", "hour"),
    CheckConstraint("way in ('api','console')", name="way"),
    Index(None, "hour"),
)

# Lists, searches, exports and pages of the change feed that one caller was given in one hour, alike ones counted. What
# was in one is told by its ends (see `mdm.store.list_access`); no query and no value is in it.
list_access = Table(
    "list_access",
    metadata,
    Column("key_id", Text, nullable=False),
    Column("way", Text, nullable=False),  # api, console
    time_column("hour"),
    Column("digest", Text, nullable=False),  # names what was in it
    Column("role", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("domain", Text),  # empty: all of them
    Column("narrowed", JSONB, nullable=False),  # country, status, updated_since
    Column("reach", JSONB, nullable=False),  # the caller's scope
    Column("records", Integer, nullable=False),
    Column("first_seq", BigInteger),
    Column("last_seq", BigInteger),
    Column("after_id", Text),
    Column("until_id", Text),
    Column("as_of", DateTime(timezone=True)),
    Column("ids", ARRAY(Text)),
    Column("reads", Integer, nullable=False),
    time_column("first_at"),
    time_column("last_at"),
    PrimaryKeyConstraint("key_id", "way", "hour", "digest"),
    CheckConstraint("way in ('api','console')", name="way"),
    CheckConstraint("what in ('list','search','export','feed')", name="what"),
    Index(None, "hour"),
    Index(None, "ids", postgresql_using="gin"),
)
