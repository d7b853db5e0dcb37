"""Releases of rules and the work on them: rows in, values out. What may be done is decided elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeAlias

import orjson
from sqlalchemy import Connection, Engine

from mdm.errors import NotFound
from mdm.model.ids import Domain, EntityId, RecordId
from mdm.model.releases import Release, ReleaseStatus, RuleKind, Run, RunKind
from mdm.store.at_work import RELEASES
from mdm.store.unit_of_work import UnitOfWork

#: Asks the database: a statement with `%s`, then what fills them. `UnitOfWork.query` is one, `asking` makes others.
Query: TypeAlias = Callable[..., Sequence[Sequence[Any]]]

_RELEASE = """release_id, kind, domain, title, version, fingerprint, document, status, author, drafted_at, changed_at,
    approver, approved_at, comment, despite, simulation_id, releaser, released_at, replaced, ended_by, reason,
    ended_at"""
_RUN = """run_id, release_id, what, fingerprint, against, actor, status, step, done, total, position, report::text,
    digest_before, digest_after, batch_id, error, started_at, finished_at,
    status = 'running' and exists (
        select 1 from pg_locks k where k.locktype = 'advisory' and k.granted and k.classid = %s
          and k.objid = r.release_id
          and k.database = (select oid from pg_database where datname = current_database()))"""


def asking(connection: Connection) -> Query:
    """A connection as something that can be asked."""
    return lambda statement, *parameters: connection.exec_driver_sql(statement, parameters).all()


# --- which rules decide ---------------------------------------------------------------------------------------------


def in_force(query: Query) -> dict[tuple[RuleKind, Domain], tuple[int, str]]:
    """Number and fingerprint of the release that decides, by kind and domain; none where the shipped rules do."""
    rows = query("select kind, domain, release_id, fingerprint from rules_in_force")
    return {(RuleKind(row[0]), Domain(row[1])): (row[2], row[3]) for row in rows}


def texts(query: Query, release_id: int) -> tuple[str, Mapping[str, str | None]]:
    """The document of a release and what is attached to it."""
    rows = query("select document, attachments::text from rule_release where release_id = %s", release_id)
    return rows[0][0], orjson.loads(rows[0][1] or "{}")


def put_in_force(work: UnitOfWork, release: Release) -> None:
    """From now on this release decides."""
    work.execute(
        """insert into rules_in_force (kind, domain, release_id, fingerprint, since) values (%s, %s, %s, %s, %s)
           on conflict (kind, domain) do update set release_id = excluded.release_id,
               fingerprint = excluded.fingerprint, since = excluded.since""",
        release.kind.value, release.domain.value, release.release_id, release.fingerprint, work.now,
    )  # fmt: skip


def take_out_of_force(work: UnitOfWork, kind: RuleKind, domain: Domain) -> None:
    """From now on the shipped rules decide again."""
    work.execute("delete from rules_in_force where kind = %s and domain = %s", kind.value, domain.value)


# --- releases -------------------------------------------------------------------------------------------------------


def insert(work: UnitOfWork, release: Mapping[str, object]) -> int:
    """Write a draft; returns its number."""
    row = {**release, "drafted_at": work.now, "changed_at": work.now}
    names = ", ".join(row)
    places = ", ".join(["%s"] * len(row))
    number: int = work.query(
        f"insert into rule_release ({names}) values ({places}) returning release_id", *row.values()
    )[0][0]
    return number


def update(work: UnitOfWork, release_id: int, **columns: object) -> None:
    """Change columns of a release."""
    assignments = ", ".join(f"{name} = %s" for name in columns)
    work.execute(f"update rule_release set {assignments} where release_id = %s", *columns.values(), release_id)


def find(query: Query, release_id: int, *, lock: bool = False) -> Release:
    """A release.

    Raises:
        NotFound: there is none with this number.
    """
    rows = query(
        f"select {_RELEASE} from rule_release where release_id = %s {'for update' if lock else ''}", release_id
    )
    if not rows:
        raise NotFound(f"There is no release {release_id}.", action="`mdm releases list` shows them.")
    return _release(rows[0])


def page(query: Query, statuses: Sequence[str], before: int | None, limit: int) -> list[Release]:
    """Up to `limit` releases in one of these states (any, if none is given), older than `before`, the newest first."""
    rows = query(
        f"""select {_RELEASE} from rule_release
            where (%s or status = any(%s)) and (%s::bigint is null or release_id < %s::bigint)
            order by release_id desc limit %s""",
        not statuses, list(statuses), before, before, limit,
    )  # fmt: skip
    return [_release(row) for row in rows]


def versions(query: Query, kind: RuleKind, domain: Domain) -> list[Release]:
    """The releases that are or were in force, the newest first."""
    rows = query(
        f"""select {_RELEASE} from rule_release where kind = %s and domain = %s and releaser is not null
            order by released_at desc, release_id desc""",
        kind.value, domain.value,
    )  # fmt: skip
    return [_release(row) for row in rows]


def _release(row: Sequence[Any]) -> Release:
    named = dict(zip(_fields(Release), row, strict=True))
    kind, domain, status = RuleKind(row[1]), Domain(row[2]), ReleaseStatus(row[7])
    return Release(**{**named, "kind": kind, "domain": domain, "status": status})


# --- work on a release ----------------------------------------------------------------------------------------------


def begin_run(
    work: UnitOfWork,
    release: Release,
    what: RunKind,
    against: str,
    actor: str,
    digest: str | None,
    report: Mapping[str, object] | None = None,
) -> int:
    """Note that work on a release begins; returns the number of the run. `report` is what is known before."""
    number: int = work.query(
        """insert into release_run (release_id, what, fingerprint, against, actor, digest_before, batch_id, started_at,
               report)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s) returning run_id""",
        release.release_id, what.value, release.fingerprint, against, actor, digest, work.batch_id, work.now,
        orjson.dumps(report or {}).decode(),
    )[0][0]  # fmt: skip
    return number


def end_run(work: UnitOfWork, run_id: int, status: str, digest: str | None = None, error: str = "") -> None:
    """Note how work on a release ended."""
    work.execute(
        """update release_run set status = %s, digest_after = %s, error = %s, finished_at = %s, step = '',
               done = case when %s = 'done' then total else done end
           where run_id = %s""",
        status, digest, error, work.now, status, run_id,
    )  # fmt: skip


def advance(work: UnitOfWork, run_id: int, position: str, done: int, report: Mapping[str, object]) -> None:
    """Note, with the effect itself, how far a run is."""
    work.execute(
        "update release_run set position = %s, done = %s, report = %s where run_id = %s",
        position, done, orjson.dumps(report).decode(), run_id,
    )  # fmt: skip


def tell(engine: Engine, run_id: int, step: str, done: int | None = None, total: int | None = None) -> bool:
    """Note how far a run is, at once, for those who look at it from elsewhere; False when it was stopped meanwhile."""
    with engine.begin() as connection:
        told = connection.exec_driver_sql(
            """update release_run set step = %s, done = coalesce(%s, done), total = coalesce(%s, total)
               where run_id = %s and status = 'running'""",
            (step, done, total, run_id),
        )
        return told.rowcount > 0


def stop_simulations(work: UnitOfWork, release_id: int, why: str) -> list[int]:
    """End the simulations of a release that are under way or were interrupted; returns their numbers."""
    rows = work.query(
        """update release_run set status = 'failed', error = %s, finished_at = %s, step = ''
           where release_id = %s and what = 'simulation' and status = 'running' returning run_id""",
        why, work.now, release_id,
    )  # fmt: skip
    return [int(row[0]) for row in rows]


def find_run(query: Query, run_id: int) -> Run:
    """A run.

    Raises:
        NotFound: there is none with this number.
    """
    rows = query(f"select {_RUN} from release_run r where run_id = %s", RELEASES, run_id)
    if not rows:
        raise NotFound(f"There is no run {run_id} of a release.")
    return _run(rows[0])


def runs(query: Query, release_id: int, what: RunKind | None = None, limit: int = 50) -> list[Run]:
    """What was done with a release, the newest first."""
    rows = query(
        f"""select {_RUN} from release_run r where release_id = %s and (%s::text is null or what = %s)
            order by run_id desc limit %s""",
        RELEASES, release_id, what, what, limit,
    )  # fmt: skip
    return [_run(row) for row in rows]


def _run(row: Sequence[Any]) -> Run:
    named = dict(zip(_fields(Run), row, strict=True))
    return Run(**{**named, "what": RunKind(row[2]), "report": orjson.loads(row[11])})


def _fields(of: type[Release] | type[Run]) -> list[str]:
    return [each.name for each in fields(of)]


def units_since(query: Query, batch_id: int) -> int:
    """Units of work since then that could have changed what the hub holds, other than releases."""
    rows = query(
        """select count(*) from batch where batch_id > %s
           and cause not in ('release', 'rematch', 'rematch keys', 'onboarding', 'console')""",
        batch_id,
    )
    return int(rows[0][0])


# --- walking over all entities of a domain ----------------------------------------------------------------------------


def entities_after(query: Query, domain: Domain, after: str, limit: int) -> tuple[list[RecordId], str, int]:
    """The live records of the next entities by id, the last of these ids (`""` at the end), and how many they are."""
    found = [
        EntityId(row[0])
        for row in query(
            """select entity_id from entity where domain = %s and status = 'active' and entity_id > %s
               order by entity_id limit %s""",
            domain.value, after, limit,
        )
    ]  # fmt: skip
    if not found:
        return [], "", 0
    rows = query(
        """select c.rec_id from unnest(%s::text[]) as e(id)
           cross join lateral (select rec_id from crosswalk where entity_id = e.id offset 0) c""",
        found,
    )
    return [RecordId(row[0]) for row in rows], found[-1], len(found)


def active_entities(query: Query, domain: Domain) -> int:
    """How many entities of a domain there are."""
    return int(query("select count(*) from entity where domain = %s and status = 'active'", domain.value)[0][0])
