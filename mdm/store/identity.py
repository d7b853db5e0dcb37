"""Writing what identity decided: links, ids, memberships, golden versions, tasks and announcements, all in bulk."""

import uuid
from collections.abc import Sequence
from functools import partial

import orjson

from mdm.model.delta import Announcement, GoldenVersion, IdentityDelta, LinkChange, Renewal
from mdm.model.ids import Domain
from mdm.store.unit_of_work import UnitOfWork
from mdm.store.worklist import drop_ranks

_GOLDEN_COLUMNS = (
    "entity_id", "version", "domain", "name", "values", "lineage", "members", "digest", "support", "ruleset", "seq",
    "batch_id", "cause", "known_from",
)  # fmt: skip


def write_links(work: UnitOfWork, domain: Domain, fingerprint: str, change: LinkChange) -> None:
    """Supersede and add links. The neighbourhood is read after this, so that it sees them."""
    if change.superseded:
        work.execute("update link set superseded_at = %s where link_id = any(%s)", work.now, list(change.superseded))
    work.copy(
        "link",
        ("domain", "a", "b", "decision", "weight", "veto", "fingerprint", "batch_id", "created_at"),
        (
            (domain.value, link.a, link.b, link.decision, link.weight, link.veto, fingerprint, work.batch_id, work.now)
            for link in change.added
        ),
    )


def write_identity(work: UnitOfWork, delta: IdentityDelta) -> None:
    """Write one domain's delta; links are already written.

    Golden versions and announcements carry numbers of the change feed, so they are written when this unit of work
    publishes; until then its own queries see the golden records as they were.
    """
    _write_entities(work, delta)
    _write_memberships(work, delta)
    closing = [*delta.closed, *(version.entity_id for version in delta.golden)]
    _replace_terms(work, closing, delta.golden)
    _renew_golden(work, delta.renewed)
    _write_tasks(work, delta)
    if closing or delta.announcements:
        work.defer(partial(_announce, work, delta, closing))


def _announce(work: UnitOfWork, delta: IdentityDelta, closing: Sequence[str]) -> None:
    first = work.numbers(max(len(delta.announcements), len(delta.golden)))
    _write_golden(work, delta.golden, closing, first)
    _write_outbox(work, delta.announcements, first)


def _write_entities(work: UnitOfWork, delta: IdentityDelta) -> None:
    columns = ("entity_id", "domain", "status", "founder", "founded_batch", "founded_at", "changed_at")
    work.copy(
        "entity",
        columns,
        (
            (new.entity_id, new.domain.value, "active", new.founder, work.batch_id, work.now, work.now)
            for new in delta.founded
        ),
    )
    if not delta.succession:
        return
    work.stage(
        "stage_succession",
        "entity_id text, status text, merged_into text",
        ((change.entity_id, change.status, change.merged_into) for change in delta.succession),
    )
    work.execute(
        """update entity e
           set status = s.status, merged_into = s.merged_into, absorbed_by = s.merged_into, changed_at = %s
           from stage_succession s where e.entity_id = any(%s) and e.entity_id = s.entity_id""",
        work.now,
        [change.entity_id for change in delta.succession],
    )
    # A redirect always points at the survivor, never at another redirect. Entities are looked up one by one: in a join,
    # all that there are would be read.
    work.execute(
        """with recursive below as (
               select entity_id from stage_succession
               union
               select e.entity_id from below b cross join lateral (
                   select entity_id from entity where absorbed_by = b.entity_id and status = 'merged' offset 0) e),
           climb as (
               select e.entity_id, e.absorbed_by as at from below b cross join lateral (
                   select entity_id, absorbed_by, status from entity where entity_id = b.entity_id offset 0) e
               where e.status = 'merged'
               union
               select c.entity_id, e.absorbed_by from climb c cross join lateral (
                   select absorbed_by, status from entity where entity_id = c.at offset 0) e
               where e.status = 'merged')
           update entity e set merged_into = c.at, changed_at = %s
           from climb c cross join lateral (select status from entity where entity_id = c.at offset 0) r
           where r.status <> 'merged' and e.entity_id = any(array(select entity_id from climb))
             and e.entity_id = c.entity_id and e.merged_into is distinct from c.at""",
        work.now,
    )


def _write_memberships(work: UnitOfWork, delta: IdentityDelta) -> None:
    leaving = [change.rec_id for change in delta.joined if change.left is not None]
    leaving += [rec_id for rec_id, _ in delta.departed]
    if leaving:
        work.execute(
            """with gone as (delete from crosswalk where rec_id = any(%s) returning rec_id, entity_id, since)
               insert into crosswalk_history (rec_id, entity_id, since, until, batch_id)
               select rec_id, entity_id, since, greatest(since, %s), %s from gone""",
            leaving,
            work.now,
            work.batch_id,
        )
    work.copy(
        "crosswalk",
        ("rec_id", "entity_id", "since"),
        ((change.rec_id, change.entity_id, work.now) for change in delta.joined),
    )


def _write_golden(work: UnitOfWork, versions: Sequence[GoldenVersion], closing: Sequence[str], base: int) -> None:
    if closing:
        work.execute(
            # Nothing ends before it began, also where it began by a clock that was ahead.
            "update golden set known_to = greatest(known_from, %s) where entity_id = any(%s) and known_to is null",
            work.now,
            list(closing),
        )
    work.copy(
        "golden",
        _GOLDEN_COLUMNS,
        (
            (
                golden.entity_id, golden.version, golden.domain.value, golden.name,
                orjson.dumps(golden.values).decode(),
                orjson.dumps(golden.lineage).decode(), len(golden.members), golden.digest, golden.support,
                golden.ruleset, base + number, work.batch_id, golden.cause, work.now,
            )
            for number, golden in enumerate(versions)
        ),
    )  # fmt: skip


def _renew_golden(work: UnitOfWork, renewals: Sequence[Renewal]) -> None:
    """The same values for other reasons: lineage and search terms are written anew, the version stays."""
    if not renewals:
        return
    work.stage(
        "stage_renewal",
        "entity_id text, lineage jsonb, support bytea",
        ((each.entity_id, orjson.dumps(each.lineage).decode(), each.support) for each in renewals),
    )
    work.execute(
        """update golden g set lineage = s.lineage, support = s.support from stage_renewal s
           where g.entity_id = s.entity_id and g.known_to is null"""
    )
    _replace_terms(work, [each.entity_id for each in renewals], renewals)


def _replace_terms(
    work: UnitOfWork, entities: Sequence[str], sources: Sequence[GoldenVersion] | Sequence[Renewal]
) -> None:
    """Most versions keep most of their terms, so only differences are written."""
    if not entities:
        return
    before = set(
        work.probe(
            """select t.domain, t.term, t.entity_id from unnest(%s::text[]) as e(id)
               cross join lateral (
                   select domain, term, entity_id from search_term where entity_id = e.id offset 0) t""",
            list(entities),
        )
    )
    after = {(each.domain.value, term, each.entity_id) for each in sources for term in each.search_terms}
    gone = sorted(before - after)
    if gone:
        work.execute(
            """delete from search_term t using unnest(%s::text[], %s::text[], %s::text[]) as s(domain, term, entity_id)
               where t.domain = s.domain and t.term = s.term and t.entity_id = s.entity_id""",
            *(list(column) for column in zip(*gone, strict=True)),
        )
    work.copy("search_term", ("domain", "term", "entity_id"), sorted(after - before))


def _write_tasks(work: UnitOfWork, delta: IdentityDelta) -> None:
    if delta.tasks_closed:
        work.execute(
            "update steward_task set status = 'obsolete', closed_at = %s where task_id = any(%s)",
            work.now,
            list(delta.tasks_closed),
        )
        drop_ranks(work, delta.tasks_closed)
    work.copy(
        "steward_task",
        ("question", "kind", "domain", "a", "b", "weight", "detail", "batch_id", "opened_at"),
        (
            (task.question, task.kind, task.domain.value, task.a, task.b, task.weight, task.detail, work.batch_id,
             work.now)
            for task in delta.tasks_opened
        ),
    )  # fmt: skip


def write_announcements(work: UnitOfWork, announcements: Sequence[Announcement]) -> None:
    """Announce what no golden version tells, when this unit of work publishes."""
    work.defer(lambda: _write_outbox(work, announcements, work.numbers(len(announcements))))


def _write_outbox(work: UnitOfWork, announcements: Sequence[Announcement], base: int) -> None:
    work.copy(
        "outbox",
        ("seq", "id", "aggregatetype", "aggregateid", "type", "payload", "traceparent", "created_at"),
        (
            (
                base + number,
                # Derived from its place in the feed, so that publishing twice carries one id.
                uuid.uuid5(uuid.NAMESPACE_OID, f"{base + number}/{message.aggregate}"),
                message.domain.value,
                message.aggregate,
                message.type,
                orjson.dumps(message.payload).decode(),
                message.traceparent,
                work.now,
            )
            for number, message in enumerate(announcements)
        ),
    )
