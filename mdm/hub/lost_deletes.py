"""Rows that only the mirror has are taken out: the deletes that never came, made up for.

No snapshot does that: it sends the rows that are there. Which rows these are is for `mdm.hub.reconcile_source` to say.
"""

from collections.abc import Collection

from mdm.hub.process import Pipeline, consume
from mdm.hub.reconcile_source import SourceComparison
from mdm.intake.contracts import Contract
from mdm.intake.debezium import Decoded
from mdm.model.events import ChangeEvent, Message, Operation, Outcome, Place, SourcePosition
from mdm.model.ids import CrosswalkKey
from mdm.store.ledger import write_audit
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import unit_of_work

#: No broker has such a partition: deletes that no message brought.
_NO_PARTITION = -1


def lost_for_certain(before: SourceComparison, after: SourceComparison) -> list[str]:
    """Keys of rows that the mirror had when the source was asked, so that it cannot just be quicker than the question.

    In one comparison the source is asked first: what is inserted then and arrives at once looks surplus.
    """
    earlier, later = ({row.key for row in found.rows or () if row.what == "surplus"} for found in (before, after))
    return sorted(earlier & later)


def take_out(pipeline: Pipeline, contract: Contract, keys: Collection[str], actor: str, reason: str) -> int:
    """Delete rows from the mirror as their platform's delete would have; returns how many were.

    Each delete stands right after what is known of its row, so whatever the platform says of it later outranks it, and
    what is still on its way does, too.

    Raises:
        TransientError: the database failed; nothing was taken out, try again.
    """
    named = [CrosswalkKey(contract.system, contract.table, key) for key in sorted(keys)]
    with snapshot(pipeline.engine) as work:
        stands = {
            row[0]: SourcePosition(row[1], row[2], row[3] + 1, 1)
            for row in work.query(
                """select key, pos_major, pos_minor, pos_order from source_record
                   where system = %s and type = %s and key = any(%s) and not deleted""",
                contract.system, contract.table, [key.key for key in named],
            )
        }  # fmt: skip
    now = pipeline.clock()
    first = int(now.timestamp() * 1_000_000)
    events = [
        ChangeEvent(
            place=Place(contract.topic, _NO_PARTITION, first + number),
            system=key.system,
            type=key.type,
            operation=Operation.DELETE,
            key=key,
            row=None,
            unavailable=frozenset(),
            position=stands[key.key],
            event_time=now,
            snapshot=True,  # says nothing of how far the platform's log has come
        )
        for number, key in enumerate(key for key in named if key.key in stands)
    ]
    if not events:
        return 0
    with unit_of_work(pipeline.engine, pipeline.clock, "reconcile") as work:
        detail = {"rows": len(events), "reason": reason}
        write_audit(work, actor, "take_out", f"{contract.system}.{contract.table}", detail)
    messages = [Message(event.place, first // 1000, (), None, None) for event in events]
    report = consume(pipeline, f"reconcile:{contract.system}", messages, Decoded(tuple(events), (), (), ()), {})
    return report.outcomes[contract.system, Outcome.APPLIED]
