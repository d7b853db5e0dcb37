"""Opening and closing refused messages, what they said, and what hangs on the rows of several together."""

import base64
from collections.abc import Sequence
from typing import Any

import orjson

from mdm.model.events import Message, Place
from mdm.model.stewardship import Exposure, LetterEffect
from mdm.store.letter_groups import regrouping
from mdm.store.stake import TOUCHED
from mdm.store.unit_of_work import UnitOfWork

_EXPOSURE = f"""
with base as (
  select distinct 'all' as item, d.system, d.type, d.row_key as key from dead_letter d
  where d.dead_letter_id = any(%s) and d.row_key is not null
), {TOUCHED.replace("%", "%%")}
select 'owed', coalesce(currency, ''), count(*), sum(amount) from owed group by 2
union all
select 'agreed', coalesce(currency, ''), count(*), sum(amount) from agreed group by 2
order by 1, 2
"""


_MESSAGES = """
select d.topic, d.partition, d."offset", d.timestamp_ms, coalesce(f.headers, d.headers),
  case when f.fix_id is null then d.key else f.key end, case when f.fix_id is null then d.value else f.value end
from dead_letter d
left join lateral (select * from dead_letter_fix where dead_letter_id = d.dead_letter_id
                   order by fix_id desc limit 1) f on true
where d.dead_letter_id = any(%s) and d.status = 'open' order by d.topic, d.partition, d."offset"
"""


def messages_of(work: UnitOfWork, ids: Sequence[int]) -> list[Message]:
    """Those of these dead letters that are open, as the messages they were, or as they were mended; by their places."""
    return [_message(row) for row in work.query(_MESSAGES, list(ids))]


def still_open(work: UnitOfWork, ids: Sequence[int]) -> list[int]:
    """Those of these dead letters that are open, locked in the order of their numbers."""
    return _in_state(work, ids, "open")


def still_discarded(work: UnitOfWork, ids: Sequence[int]) -> list[int]:
    """Those of these dead letters that are discarded, locked in the order of their numbers."""
    return _in_state(work, ids, "discarded")


def discard(work: UnitOfWork, ids: Sequence[int], actor: str, reason: str) -> None:
    """Close open dead letters for good; the messages stay stored."""
    with regrouping(work, ids):
        work.execute(
            """update dead_letter set status = 'discarded', closed_at = %s, closed_by = %s, closed_reason = %s
               where dead_letter_id = any(%s) and status = 'open'""",
            work.now, actor, reason, list(ids),
        )  # fmt: skip


def reopen(work: UnitOfWork, ids: Sequence[int]) -> list[int]:
    """Open discarded dead letters again; returns which were."""
    with regrouping(work, ids):
        rows = work.query(
            """update dead_letter set status = 'open', closed_at = null, closed_by = null, closed_reason = null
               where dead_letter_id = any(%s) and status = 'discarded' returning dead_letter_id""",
            list(ids),
        )
    return sorted(row[0] for row in rows)


def give(work: UnitOfWork, ids: Sequence[int], assignee: str | None) -> None:
    """Let somebody look after these dead letters, or nobody."""
    with regrouping(work, ids):
        work.execute("update dead_letter set assignee = %s where dead_letter_id = any(%s)", assignee, list(ids))


def described(work: UnitOfWork, ids: Sequence[int], fate: str) -> tuple[LetterEffect, ...]:
    """Dead letters by number: where they stood and what they are about, never what they said."""
    rows = work.query(
        """select dead_letter_id, topic || '/' || partition || '/' || "offset", code,
                  concat_ws(' ', system, type, row_key), tier
           from dead_letter where dead_letter_id = any(%s) order by dead_letter_id""",
        list(ids),
    )
    return tuple(LetterEffect(row[0], fate, *row[1:]) for row in rows)


def exposure_of_letters(work: UnitOfWork, ids: Sequence[int]) -> Exposure:
    """Running contracts and open invoices behind the rows of these dead letters, each once; amounts by currency."""
    rows = work.cursor.execute(_EXPOSURE, (list(ids),)).fetchall() if ids else []
    agreed, owed = ([row for row in rows if row[0] == part] for part in ("agreed", "owed"))
    return Exposure(
        contracts=sum(row[2] for row in agreed),
        contract_value={row[1]: format(row[3], "f") for row in agreed},
        invoices=sum(row[2] for row in owed),
        invoice_amount={row[1]: format(row[3], "f") for row in owed},
    )


def _in_state(work: UnitOfWork, ids: Sequence[int], status: str) -> list[int]:
    rows = work.query(
        "select dead_letter_id from dead_letter where dead_letter_id = any(%s) and status = %s order by 1 for update",
        list(ids),
        status,
    )
    return [row[0] for row in rows]


def _message(row: Sequence[Any]) -> Message:
    headers = row[4] if isinstance(row[4], list) else orjson.loads(row[4])
    return Message(
        Place(row[0], row[1], row[2]),
        row[3],
        tuple((name, base64.b64decode(value)) for name, value in headers),
        None if row[5] is None else bytes(row[5]),
        None if row[6] is None else bytes(row[6]),
    )
