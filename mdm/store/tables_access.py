"""Who read which golden record, where what they saw is confidential: counts by the hour, for the people it is about."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
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

# Requests of one caller by version of the API, and of the change feed by version of events, on one day. Written in
# batches; no address is in it.
version_usage = Table(
    "version_usage",
    metadata,
    Column("day", Date, nullable=False),
    Column("caller", Text, nullable=False),  # API key, or person of the identity provider
    Column("surface", Text, nullable=False),  # api, events
    Column("version", Text, nullable=False),
    Column("pinned", Boolean, nullable=False),  # whether the caller named the version
    Column("requests", BigInteger, nullable=False),
    Column("deprecated", BigInteger, nullable=False),  # of them, at addresses that will end
    time_column("first_at"),
    time_column("last_at"),
    PrimaryKeyConstraint("day", "caller", "surface", "version", "pinned"),
    CheckConstraint("surface in ('api','events')", name="surface"),
)
