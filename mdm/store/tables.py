"""Every table of the hub, from the modules of their areas. Importing this fills the metadata, as migrations need it."""

from mdm.store import tables_access as access
from mdm.store import tables_blind as blind
from mdm.store import tables_console as console
from mdm.store import tables_erp as erp
from mdm.store import tables_exceptions as exceptions
from mdm.store import tables_gaps as gaps
from mdm.store import tables_governance as governance
from mdm.store import tables_hierarchy as hierarchy
from mdm.store import tables_identifiers as identifiers
from mdm.store import tables_onboarding as onboarding
from mdm.store import tables_placement as placement
from mdm.store import tables_privacy as privacy
from mdm.store import tables_releases as releases
from mdm.store import tables_serving as serving
from mdm.store import tables_stewardship as stewardship
from mdm.store import tables_streams as streams
from mdm.store.tables_base import batch, metadata
from mdm.store.tables_feeds import (
    consumed_count,
    dead_letter,
    event_ledger,
    exception,
    feed_position,
    outcome_count,
    topic_life,
)
from mdm.store.tables_golden import golden, search_term
from mdm.store.tables_identity import (
    block_key,
    crosswalk,
    crosswalk_history,
    entity,
    judgement,
    link,
    record_without_key,
    steward_task,
)
from mdm.store.tables_journal import ROLES_CHECK, api_key, audit, audit_remark, outbox
from mdm.store.tables_records import (
    ALIAS_FORM,
    record_alias,
    record_evidence,
    record_history,
    record_reference,
    source_record,
    source_retirement,
    table_shape,
    truncation,
)

__all__ = [
    "ALIAS_FORM",
    "ROLES_CHECK",
    "access",
    "api_key",
    "audit",
    "audit_remark",
    "batch",
    "blind",
    "block_key",
    "console",
    "consumed_count",
    "crosswalk",
    "crosswalk_history",
    "dead_letter",
    "entity",
    "erp",
    "event_ledger",
    "exception",
    "exceptions",
    "feed_position",
    "gaps",
    "golden",
    "governance",
    "hierarchy",
    "identifiers",
    "judgement",
    "link",
    "metadata",
    "onboarding",
    "outbox",
    "outcome_count",
    "placement",
    "privacy",
    "record_alias",
    "record_evidence",
    "record_history",
    "record_reference",
    "record_without_key",
    "releases",
    "search_term",
    "serving",
    "source_record",
    "source_retirement",
    "steward_task",
    "stewardship",
    "streams",
    "table_shape",
    "topic_life",
    "truncation",
]
