"""What may be read from the hub: the public face of the `read_*` modules. Nothing here writes or commits."""

from mdm.store.read_changes import Change, changes_after, newest_change
from mdm.store.read_export import export_crosswalk, export_golden, export_records, printed
from mdm.store.read_facts import Fact, facts_of
from mdm.store.read_fate import Classified, Part, classify, intervals_of, parts_of
from mdm.store.read_golden import (
    EntityState,
    GoldenRow,
    Member,
    absorbed_ids,
    current_golden,
    current_goldens,
    current_names,
    find_entity,
    golden_known_at,
    golden_version,
    golden_versions,
    lineage_of,
    members_of,
    told_since,
)
from mdm.store.read_identity import (
    Meaning,
    NamedRow,
    Unresolved,
    meanings,
    names_of,
    resolve_names,
    rows_by_key,
    unresolved,
)
from mdm.store.read_lineage import Joined, joins_of
from mdm.store.read_list import Filters, LastVerdict, Listed, Place, list_golden
from mdm.store.read_references import expand, resolve_references
from mdm.store.read_status import Vitals, status_summary, vitals
from mdm.store.read_tasks import OpenQuestion, Side, TaskPlace, count_open_questions, open_questions

__all__ = [
    "Change",
    "Classified",
    "EntityState",
    "Fact",
    "Filters",
    "GoldenRow",
    "Joined",
    "LastVerdict",
    "Listed",
    "Meaning",
    "Member",
    "NamedRow",
    "OpenQuestion",
    "Part",
    "Place",
    "Side",
    "TaskPlace",
    "Unresolved",
    "Vitals",
    "absorbed_ids",
    "changes_after",
    "classify",
    "count_open_questions",
    "current_golden",
    "current_goldens",
    "current_names",
    "expand",
    "export_crosswalk",
    "export_golden",
    "export_records",
    "facts_of",
    "find_entity",
    "golden_known_at",
    "golden_version",
    "golden_versions",
    "intervals_of",
    "joins_of",
    "lineage_of",
    "list_golden",
    "meanings",
    "members_of",
    "names_of",
    "newest_change",
    "open_questions",
    "parts_of",
    "printed",
    "resolve_names",
    "resolve_references",
    "rows_by_key",
    "status_summary",
    "told_since",
    "unresolved",
    "vitals",
]
