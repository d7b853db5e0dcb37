"""Where golden records belong: the labels by which scopes reach them (`mdm.access.scope`). Derived, never stated."""

from sqlalchemy import CheckConstraint, Column, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from mdm.store.tables_base import metadata

# One row per id that ever had a golden record; what has none is reached by nobody whose scope is limited. Without keys
# to other tables, so that a rebuild can exchange it.
placement = Table(
    "placement",
    metadata,
    Column("entity_id", Text, primary_key=True),
    Column("domain", Text, nullable=False),
    Column("regions", ARRAY(Text), nullable=False),
    Column("business_units", ARRAY(Text), nullable=False),
    Column("legal_entities", ARRAY(Text), nullable=False),
    Column("sources", ARRAY(Text), nullable=False, server_default="{}"),  # platforms that know it
    CheckConstraint("domain in ('product','customer','contract')", name="domain"),
)
