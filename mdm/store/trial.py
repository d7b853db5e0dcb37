"""A copy of the hub's present in a scratch schema, to try on it what would take long and touch everything.

What is only history stays behind: former versions of golden records, announcements, the audit. Row locks and long
transactions on the copy are nobody's concern.
"""

from mdm.store.rebuild import continue_numbers
from mdm.store.tables import metadata
from mdm.store.unit_of_work import UnitOfWork

#: What settling reads or writes, in an order that keeps references, with the rows that the present consists of.
_PRESENT = {
    "batch": "batch_id >= (select max(batch_id) from batch) or publication = (select max(publication) from batch)",
    "entity": "true",
    "source_record": "true",
    "record_reference": "true",
    "record_alias": "true",
    "record_evidence": "true",
    "block_key": "true",
    "record_without_key": "true",
    "identifier_use": "true",
    "recycled_identifier": "true",
    "identifier_kept": "true",
    "link": "superseded_at is null",
    "judgement": "true",
    "golden_override": "true",
    "echo": "true",
    "crosswalk": "true",
    "crosswalk_history": "true",
    "golden": "known_to is null",
    "search_term": "true",
    "placement": "true",
    "customer_relation": "true",
    "steward_task": "status = 'open'",
}
#: What taking rows in reads beside that: what came before, what was refused, where feeds stand, and who was erased.
_INTAKE = (
    "record_history", "dead_letter", "source_retirement", "truncation", "event_ledger", "feed_position", "topic_life",
    "table_shape", "partition_mark", "table_snapshot", "suppression", "suppression_secret",
)  # fmt: skip
_TO_TAKE_IN = dict.fromkeys(_INTAKE, "true") | {"dead_letter": "status = 'open'"}


def copy_present(work: UnitOfWork, scratch: str, *, to_take_in: bool = False) -> int:
    """Copy what a trial needs, as of one instant; returns how many live source rows there are.

    Args:
        to_take_in: copy also what is asked when rows are taken in.
    """
    for name, present in (_PRESENT | (_TO_TAKE_IN if to_take_in else {})).items():
        columns = ", ".join(f'"{each.name}"' for each in metadata.tables[name].columns if each.computed is None)
        work.execute(
            f"""insert into "{scratch}".{name} ({columns}) overriding system value
                select {columns} from {name} where {present}"""
        )
        continue_numbers(work, scratch, name)
    rows = work.query("select count(*) from source_record where not deleted")
    return int(rows[0][0])
