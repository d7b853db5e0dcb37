"""What must always hold, each as a query that returns the rows that break it. Also run by alerts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from mdm.store.audit_ends import cut
from mdm.store.ledger import GENESIS, REMARKS, audit_content, chain_hash, remark_digest
from mdm.store.letter_groups import TOLD
from mdm.store.unit_of_work import UnitOfWork

#: Name of the invariant -> query of its violations, one text column each.
QUERIES: Mapping[str, str] = {
    "every live record of a resolved domain has a crosswalk": """
        select r.system || ':' || r.type || ':' || r.key from source_record r left join crosswalk c using (rec_id)
        where not r.deleted and r.domain is not null and c.rec_id is null""",
    "no crosswalk of a deleted record": """
        select r.system || ':' || r.type || ':' || r.key from source_record r join crosswalk c using (rec_id)
        where r.deleted""",
    "crosswalks point at active entities": """
        select distinct e.entity_id from crosswalk c join entity e using (entity_id) where e.status <> 'active'""",
    "every active entity has members": """
        select e.entity_id from entity e left join crosswalk c using (entity_id)
        where e.status = 'active' and c.rec_id is null""",
    "every active entity has one current golden version": """
        select e.entity_id from entity e left join golden g on g.entity_id = e.entity_id and g.known_to is null
        where (e.status = 'active') <> (g.entity_id is not null)""",
    "every golden attribute has lineage": """
        select g.entity_id || '.' || a.name from golden g cross join lateral jsonb_object_keys(g."values") as a(name)
        where g.known_to is null and not g.lineage ? a.name""",
    "no redirect chain longer than one": """
        select e.entity_id from entity e join entity t on t.entity_id = e.merged_into where t.status = 'merged'""",
    "no entity holds two records judged not the same": """
        select a.entity_id from judgement j join crosswalk a on a.rec_id = j.a join crosswalk b on b.rec_id = j.b
        where j.superseded_at is null and j.verdict = 'not_same' and a.entity_id = b.entity_id""",
    "no open task about a record that is gone": """
        select t.question from steward_task t left join crosswalk a on a.rec_id = t.a
        left join crosswalk b on b.rec_id = t.b
        where t.status = 'open' and (a.rec_id is null or b.rec_id is null)""",
    "no open task about two records of one entity": """
        select t.question from steward_task t join crosswalk a on a.rec_id = t.a join crosswalk b on b.rec_id = t.b
        where t.status = 'open' and t.kind <> 'override_challenged' and a.entity_id = b.entity_id""",
    "no live link of a deleted record": """
        select l.link_id::text from link l join source_record r on r.rec_id in (l.a, l.b)
        where l.superseded_at is null and r.deleted""",
    "no blocking key of a deleted record": """
        select r.system || ':' || r.type || ':' || r.key from source_record r
        where r.deleted and exists (select from block_key k where k.rec_id = r.rec_id)""",
    "every consumed message has exactly one outcome": """
        select c.topic || ': ' || c.messages || ' consumed, ' || coalesce(o.messages, 0) || ' accounted for'
        from consumed_count c
        left join (select topic, sum(messages) as messages from outcome_count group by topic) o using (topic)
        where c.messages is distinct from o.messages""",
    "the ledger agrees with the counts": """
        select coalesce(l.topic, o.topic) || ': ' || coalesce(l.n, 0) || ' in the ledger, ' || coalesce(o.n, 0)
            || ' counted'
        from (select topic, count(*) as n from event_ledger group by topic) l
        full join (select topic, sum(messages) as n from outcome_count where reason <> 'seen before' group by topic) o
            using (topic)
        where l.n is distinct from o.n""",
    "ranks are those of open tasks": """
        select p.task_id::text from task_priority p left join steward_task t using (task_id)
        where (t.status, t.domain, t.kind, t.weight, t.opened_at)
            is distinct from ('open', p.domain, p.kind, p.weight, p.opened_at)""",
    "groups of refused messages are what is open": f"""
        select coalesce(t.code || ' of ' || t.topic, g.code || ' of ' || g.topic) || ', ' || share || ' ' || person
            || ': ' || coalesce(g.letters, 0) || ' kept, ' || coalesce(t.letters, 0) || ' there'
        from ({TOLD}) t full join dead_letter_group g using (likeness, share, person)
        where (g.letters, g.first_seen, g.newest_id, g.topic, g.code, g.owner, g.last_seen >= t.last_seen)
            is distinct from (t.letters, t.first_seen, t.newest_id, t.topic, t.code, t.owner, true)""",
    "ranks of groups of refused messages are those of their parts": """
        select r.likeness from dead_letter_rank r
        where not exists (select from dead_letter_group g where g.likeness = r.likeness)
        union all
        select g.likeness from dead_letter_group g left join dead_letter_rank r using (likeness)
        where (g.rank, g.times_much) is distinct from (coalesce(r.rank, -1e9), coalesce(r.times_much, 0))""",
}


def violations(work: UnitOfWork, most: int = 20) -> Iterator[tuple[str, str]]:
    """Every broken invariant with up to `most` of the rows that break it."""
    for name, query in QUERIES.items():
        for row in work.query(f"{query} limit %s", most):
            yield name, str(row[0])


#: Entries of the audit that are read at once.
_AT_ONCE = 5000


def audit_breaks(work: UnitOfWork, after: int = 0, upto: int | None = None) -> Iterator[tuple[int, str]]:
    """Where the audit chain does not hold: a row was edited, removed, added or reordered.

    A part of it may be looked at: what comes after an entry, up to another. The first of the part must continue the
    entry before, so parts that hold one after the other are a chain that holds. The whole of it must also reach the
    newest entry that the calendar saw: a chain whose newest entries were taken away holds in itself.
    """
    before = work.query("select hash from audit where seq = %s", after)
    previous, expected = bytes(before[0][0]) if before else GENESIS, after + 1
    while rows := work.query(
        """select seq, at at time zone 'UTC', actor, action, subject, detail::text, previous, hash from audit
           where seq > %s and seq <= coalesce(%s, seq) order by seq limit %s""",
        after, upto, _AT_ONCE,
    ):  # fmt: skip
        after = rows[-1][0]
        said = _remarks(work, rows[0][0], after)
        for row in rows:
            yield from _entry_breaks(row, previous, expected, said)
            previous, expected = bytes(row[-1]), row[0] + 1
    if upto is None:
        yield from cut(work)


def _remarks(work: UnitOfWork, first: int, last: int) -> Mapping[tuple[int, str], str | None]:
    """The digests of what people wrote, which is kept beside the chain."""
    return {
        (seq, name): None if salt is None else remark_digest(bytes(salt), words)
        for seq, name, salt, words in work.query(
            "select seq, name, salt, text from audit_remark where seq between %s and %s", first, last
        )
    }


def _entry_breaks(
    row: Sequence[Any], previous: bytes, expected: int, said: Mapping[tuple[int, str], str | None]
) -> Iterator[tuple[int, str]]:
    seq, at, actor, action, subject, detail, stored_previous, stored_hash = row
    if seq != expected:
        yield seq, f"row {expected} is missing"
    kept = orjson.loads(detail)
    content = audit_content(seq, at.isoformat() + "+00:00", actor, action, subject, kept)
    if bytes(stored_previous) != previous:
        yield seq, "does not continue the row before"
    if chain_hash(bytes(stored_previous), content) != bytes(stored_hash):
        yield seq, "content does not match its hash"
    for name in REMARKS:
        told = kept.get(name)
        # An erased remark has no salt any more: what it was cannot be told, only that it was there.
        if isinstance(told, dict) and said.get((seq, name), "") not in (None, told["sha256"]):
            yield seq, f"the {name} is not what was written"
