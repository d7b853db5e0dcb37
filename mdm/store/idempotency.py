"""Requests that a caller named (`Idempotency-Key`), with their answers: the same again gets the same answer.

A name is claimed before the request takes effect, and answered after. As long as the request is at work
(`mdm.store.lifeline`) nobody else gets the name, however long it takes. In between, the transaction of the effect
itself notes that there is one: an engine that carries the name (`named`) does so at every commit. So what a dying
process left without an effect may be claimed again, what it left with one is never carried out twice, and a request
whose claim was lost with its session, and taken by another, takes no effect any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from psycopg import Cursor
from sqlalchemy import Connection, Engine, event, text

from mdm.errors import Conflict
from mdm.store.lifeline import AT_WORK
from mdm.store.scoped import scope_of

#: Answers are kept this long.
KEPT = timedelta(hours=24)

_AT_WORK = AT_WORK.format(holder="idempotency_key.holder")
_CLAIM = f"""
insert into idempotency_key (actor, key, fingerprint, holder, claimed_at, expires_at)
values (:actor, :key, :fingerprint, :holder, :now, :expires_at)
on conflict (actor, key) do update
set fingerprint = excluded.fingerprint, holder = excluded.holder, claimed_at = excluded.claimed_at,
    expires_at = excluded.expires_at, status = null, headers = null, body = null, took_effect = false
where (idempotency_key.expires_at <= :now and (idempotency_key.status is not null or not {_AT_WORK}))
   or (idempotency_key.status is null and not idempotency_key.took_effect
       and idempotency_key.fingerprint = excluded.fingerprint and not {_AT_WORK})
returning 1
"""
_NOTE = "update idempotency_key set took_effect = true where actor = %s and key = %s and holder = %s"
_OPTION = "mdm_named"


@dataclass(frozen=True, slots=True)
class Named:
    """A request as its caller named it. `holder` is its own number (`Lifeline.take`): no two requests have the same."""

    actor: str
    key: str
    fingerprint: str
    holder: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """The request that had this name first. `status` is None while it is being answered, and for good when the answer
    is `lost`: it took effect, and nobody is left to say so."""

    same: bool
    status: int | None
    headers: Mapping[str, Any]
    body: str
    lost: bool = False


class ClaimLost(Conflict):
    """While this request was at work the database lost sight of it, and another one took over under its name.

    This one took no effect. Send it again: the answer is that of the other.
    """

    code = "CLAIM_LOST"


def named(engine: Engine, name: Named | None) -> Engine:
    """The engine for a request of this name: whatever it commits is noted as the request's effect, in one with it."""
    return engine if name is None else engine.execution_options(**{_OPTION: name})


def note_effects(engine: Engine) -> None:
    """Have commits of engines that carry a name note the effect."""

    @event.listens_for(engine, "commit")
    def _note(connection: Connection) -> None:
        name: Named | None = connection.get_execution_options().get(_OPTION)
        # Under a limited scope nothing is written (`mdm.store.scoped`).
        if name is not None and not scope_of(connection).limits_rows:
            noted = connection.exec_driver_sql(_NOTE, (name.actor, name.key, name.holder))
            _hold(noted.rowcount)


def note_effect(engine: Engine, cursor: Cursor[Any]) -> None:
    """The same for a transaction that is not SQLAlchemy's."""
    name: Named | None = engine.get_execution_options().get(_OPTION)
    if name is not None:
        cursor.execute(_NOTE, (name.actor, name.key, name.holder))
        _hold(cursor.rowcount)


def _hold(noted: int) -> None:
    if noted == 0:
        raise ClaimLost(
            "Another request under the same name took over while this one was at work; this one took no effect.",
            action="Send it again: the answer is that of the other.",
        )


def claim(connection: Connection, name: Named, now: datetime) -> Earlier | None:
    """Take the name for this request (None), or tell of the one that has it."""
    connection.execute(
        text(
            f"""delete from idempotency_key where ctid = any(array(
                  select ctid from idempotency_key
                  where expires_at <= :now and (status is not null or not {_AT_WORK})
                  limit 100 for update skip locked))"""
        ),
        {"now": now},
    )
    taken = connection.execute(
        text(_CLAIM),
        {
            "actor": name.actor,
            "key": name.key,
            "fingerprint": name.fingerprint,
            "holder": name.holder,
            "now": now,
            "expires_at": now + KEPT,
        },
    ).first()
    if taken is not None:
        return None
    row = connection.execute(
        text(
            f"""select fingerprint, status, headers, body, status is null and took_effect and not {_AT_WORK}
                from idempotency_key where actor = :actor and key = :key"""
        ),
        {"actor": name.actor, "key": name.key},
    ).one()
    return Earlier(row[0] == name.fingerprint, row[1], row[2] or {}, row[3] or "", row[4])


def keep(connection: Connection, name: Named, status: int, headers: Mapping[str, str], body: str) -> None:
    """Keep the answer for whoever asks again."""
    connection.execute(
        text(
            """update idempotency_key set status = :status, headers = cast(:headers as jsonb), body = :body
               where actor = :actor and key = :key and holder = :holder"""
        ),
        {
            "actor": name.actor,
            "key": name.key,
            "holder": name.holder,
            "status": status,
            "headers": orjson.dumps(dict(headers)).decode(),
            "body": body,
        },
    )


def give_back(connection: Connection, name: Named) -> None:
    """The request got no answer to keep: its name may be used again, unless it took effect."""
    whose = {"actor": name.actor, "key": name.key, "holder": name.holder}
    mine = "actor = :actor and key = :key and holder = :holder and status is null"
    connection.execute(text(f"delete from idempotency_key where {mine} and not took_effect"), whose)
    connection.execute(text(f"update idempotency_key set holder = null where {mine}"), whose)
