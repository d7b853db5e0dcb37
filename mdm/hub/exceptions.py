"""Dead letters come to an end: replayed once the cause is mended, or discarded with a reason."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, text

from mdm.clock import Clock
from mdm.errors import NotFound, OperatorError
from mdm.hub.process import BatchReport, Pipeline, replay
from mdm.model.events import Message, Place
from mdm.store.ledger import write_audit
from mdm.store.unit_of_work import unit_of_work

#: Dead letters replayed in one unit of work.
_BATCH = 1000

_OPEN = """
select topic, partition, "offset", timestamp_ms, headers, key, value from dead_letter
where status = 'open' and (cast(:code as text) is null or code = :code)
  and (cast(:topic as text) is null or topic = :topic)
  and (cast(:ids as bigint[]) is null or dead_letter_id = any(cast(:ids as bigint[])))
order by topic, partition, "offset"
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which open dead letters are meant; conditions that are given must all hold."""

    code: str | None = None
    topic: str | None = None
    ids: tuple[int, ...] = ()


def replay_dead_letters(pipeline: Pipeline, selection: Selection, actor: str) -> BatchReport:
    """Feed open dead letters again, oldest offset first, with the contracts as they are now.

    Raises:
        NotFound: no open dead letter is meant.
    """
    total = BatchReport()
    for messages in _open_letters(pipeline.engine, selection):
        total.add(replay(pipeline, messages, actor))
    if not total.messages:
        raise NotFound("No open dead letter fits.", action="`mdm exceptions list` shows the open ones.")
    return total


def discard_dead_letters(engine: Engine, clock: Clock, ids: Sequence[int], reason: str, actor: str) -> int:
    """Close dead letters for good. The messages stay stored; the audit keeps who and why. Returns how many.

    Raises:
        OperatorError: no reason is given.
        NotFound: none of the ids is an open dead letter.
    """
    if not reason.strip():
        raise OperatorError("Discarding needs a reason.", action="Say with --reason why these messages are worthless.")
    with unit_of_work(engine, clock, "discard") as work:
        closed = work.query(
            "update dead_letter set status = 'discarded' where dead_letter_id = any(%s) and status = 'open' "
            "returning dead_letter_id",
            list(ids),
        )
        if not closed:
            raise NotFound("None of these is an open dead letter.", action="`mdm exceptions list` shows the open ones.")
        detail = {"dead_letters": sorted(row[0] for row in closed), "reason": reason}
        write_audit(work, actor, "discard", "dead letters", detail)
    return len(closed)


def _open_letters(engine: Engine, selection: Selection) -> Iterator[Sequence[Message]]:
    """The letters as the messages they were, in batches."""
    parameters = {"code": selection.code, "topic": selection.topic, "ids": list(selection.ids) or None}
    with engine.connect() as connection:
        rows = connection.execute(text(_OPEN), parameters).all()
    messages = [
        Message(
            Place(row[0], row[1], row[2]),
            row[3],
            tuple((name, base64.b64decode(value)) for name, value in row[4]),
            None if row[5] is None else bytes(row[5]),
            None if row[6] is None else bytes(row[6]),
        )
        for row in rows
    ]
    for start in range(0, len(messages), _BATCH):
        yield messages[start : start + _BATCH]
