"""The account of what was consumed: one outcome per message, positions, dead letters, contract drift, audit chain."""

import base64
import hashlib
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import orjson

from mdm.intake.debezium import traceparent
from mdm.intake.refusal import MANY
from mdm.model.digest import canonical_json
from mdm.model.events import DeadLetter, Drift, Message, Outcome, Place
from mdm.store import letter_groups
from mdm.store.unit_of_work import UnitOfWork

#: Members of an audit detail that people typed, who something was handed to and from among them: they may name
#: somebody, and are kept apart from the chain.
REMARKS = frozenset({"assignee", "comment", "from", "reason", "to"})
#: Columns of one table that differ in one way, each with an exception of its own. Names that come from data (a table
#: of another kind, damaged messages) would otherwise fill the list without end.
_MOST_OF_A_KIND = 200
#: The hash before the first row of the audit chain.
GENESIS = bytes(32)

_OUTCOME = "system text, topic text, outcome text, reason text, messages bigint"
_ADD_OUTCOMES = """
    insert into outcome_count as c (system, topic, outcome, reason, messages)
    select system, topic, outcome, reason, messages from stage_outcome
    on conflict (system, topic, outcome, reason) do update set messages = c.messages + excluded.messages"""


def write_outcomes(
    work: UnitOfWork, outcomes: Sequence[tuple[Place, Outcome, str]], known: Iterable[Place], consumed: int
) -> None:
    """Write the ledger now and the counts when this unit of work publishes.

    Args:
        outcomes: every message's outcome with a reason (empty for none); duplicates by place included.
        known: places that the ledger holds already.
        consumed: messages taken from the feed, counted apart from the outcomes.
    """
    ledgered = set(known)
    fresh = []
    for place, outcome, _ in outcomes:
        if place not in ledgered:
            ledgered.add(place)
            fresh.append((*place, outcome.value, work.batch_id))
    work.copy("event_ledger", ("topic", "partition", "offset", "outcome", "batch_id"), fresh)
    counts = Counter(
        (system_of(place.topic), place.topic, outcome.value, reason) for place, outcome, reason in outcomes
    )
    topics = Counter(place.topic for place, _, _ in outcomes)
    work.defer(partial(_add_up, work, counts, topics, consumed))


def _add_up(
    work: UnitOfWork, counts: Mapping[tuple[str, str, str, str], int], topics: Mapping[str, int], consumed: int
) -> None:
    work.execute_with("stage_outcome", _OUTCOME, ((*name, number) for name, number in counts.items()), _ADD_OUTCOMES)
    work.execute(
        """with counted as (update batch set messages = %s where batch_id = %s)
           insert into consumed_count as c (topic, messages)
           select t.topic, t.messages from unnest(%s::text[], %s::bigint[]) as t(topic, messages)
           on conflict (topic) do update set messages = c.messages + excluded.messages""",
        consumed,
        work.batch_id,
        list(topics),
        list(topics.values()),
    )


def system_of(topic: str) -> str:
    """The platform a topic belongs to, as Debezium names topics: the topic prefix comes first, heartbeats aside."""
    return topic.removeprefix("__debezium-heartbeat.").split(".", 1)[0]


def write_replayed(
    work: UnitOfWork,
    outcomes: Sequence[tuple[Place, Outcome, str]],
    refused: Sequence[DeadLetter],
    actor: str,
) -> None:
    """Correct the account of messages that were quarantined and have now been taken in: same message, new outcome.

    The number of consumed messages stays; what was counted as quarantined is counted as what became of it. Those
    `refused` again stay open, with the reason of this time.
    """
    work.stage(
        "stage_replayed",
        "topic text, part int, off bigint, outcome text, reason text",
        ((*place, outcome.value, reason) for place, outcome, reason in outcomes),
    )
    work.execute(
        """update outcome_count c set messages = c.messages - d.n
           from (select l.topic, l.code, count(*) as n from stage_replayed s
                 join dead_letter l on l.topic = s.topic and l.partition = s.part and l."offset" = s.off
                 group by l.topic, l.code) d
           where c.topic = d.topic and c.outcome = 'quarantined' and c.reason = d.code"""
    )
    counts = Counter((system_of(place.topic), place.topic, each.value, reason) for place, each, reason in outcomes)
    work.execute_with("stage_outcome", _OUTCOME, ((*name, number) for name, number in counts.items()), _ADD_OUTCOMES)
    work.execute(
        """update event_ledger l set outcome = s.outcome, batch_id = %s from stage_replayed s
           where l.topic = s.topic and l.partition = s.part and l."offset" = s.off""",
        work.batch_id,
    )
    taken_in = work.query(
        """select l.dead_letter_id from stage_replayed s join dead_letter l
             on l.topic = s.topic and l.partition = s.part and l."offset" = s.off
           where s.outcome <> 'quarantined'"""
    )
    ids = [row[0] for row in taken_in]
    with letter_groups.regrouping(work, ids):
        work.execute(
            """update dead_letter set status = 'replayed', closed_at = %s, closed_by = %s, last_seen = %s
               where dead_letter_id = any(%s)""",
            work.now,
            actor,
            work.now,
            ids,
        )
    write_dead_letters(work, refused)


def write_positions(work: UnitOfWork, feed: str, positions: Mapping[tuple[str, int], int]) -> None:
    """Store the next offset of each partition when this unit of work publishes; a position never moves back."""
    work.defer(partial(_write_positions, work, feed, positions))


def _write_positions(work: UnitOfWork, feed: str, positions: Mapping[tuple[str, int], int]) -> None:
    work.execute_with(
        "stage_position",
        "topic text, part int, next_offset bigint",
        ((topic, partition, offset) for (topic, partition), offset in positions.items()),
        """insert into feed_position as p (feed, topic, partition, next_offset, updated_at)
           select %s, topic, part, next_offset, %s from stage_position
           on conflict (feed, topic, partition) do update
           set next_offset = greatest(p.next_offset, excluded.next_offset), updated_at = excluded.updated_at""",
        feed,
        work.now,
    )


def write_dead_letters(work: UnitOfWork, letters: Sequence[DeadLetter]) -> None:
    """Keep refused messages whole; one that comes again is counted, not doubled, and tells the reason of this time."""
    if not letters:
        return
    work.stage(
        "stage_dead_letter",
        """topic text, part int, off bigint, timestamp_ms bigint, headers json, key bytea, value bytea, system text,
           type text, code text, reason text, action text, owner text, row_key text, alike text,
           trace_id text, tier smallint, mend_within int, behind_topic text, behind_part int, behind_off bigint""",
        (_letter_row(letter) for letter in {letter.message.place: letter for letter in letters}.values()),
    )
    there = work.query(
        """select d.dead_letter_id from stage_dead_letter s join dead_letter d
           on d.topic = s.topic and d.partition = s.part and d."offset" = s.off"""
    )
    before = letter_groups.open_among(work, [row[0] for row in there], held=True)
    # Whoever looks after a kind looks after what comes of it later; asked once per kind, not per message.
    written = work.query(
        """insert into dead_letter as d (topic, partition, "offset", timestamp_ms, headers, key, value, system, type,
               code, reason, action, owner, row_key, alike, trace_id, tier, due_at, assignee, first_seen, last_seen)
           select topic, part, off, timestamp_ms, headers, key, value, system, type, code, reason, action, owner,
               row_key, alike, trace_id, tier, %s + make_interval(hours => mend_within), k.assignee, %s, %s
           from stage_dead_letter join (
               select topic, code, alike, t.assignee from (select distinct topic, code, alike from stage_dead_letter) s
               left join lateral (
                   select o.assignee from dead_letter o where o.status = 'open' and o.assignee is not null
                     and o.topic = s.topic and o.code = s.code and o.alike = s.alike limit 1) t on true
           ) k using (topic, code, alike)
           on conflict (topic, partition, "offset") do update set seen = d.seen + 1, last_seen = excluded.last_seen,
               code = excluded.code, reason = excluded.reason, action = excluded.action, owner = excluded.owner,
               row_key = excluded.row_key, alike = excluded.alike, tier = excluded.tier, behind = null,
               due_at = d.first_seen + (excluded.due_at - excluded.first_seen),
               assignee = coalesce(excluded.assignee, d.assignee)
           returning dead_letter_id""",
        work.now,
        work.now,
        work.now,
    )
    if any(letter.behind is not None for letter in letters):
        work.execute(
            """update dead_letter d set behind = b.dead_letter_id from stage_dead_letter s join dead_letter b
                   on b.topic = s.behind_topic and b.partition = s.behind_part and b."offset" = s.behind_off
               where d.topic = s.topic and d.partition = s.part and d."offset" = s.off"""
        )
    letter_groups.tell(work, before, letter_groups.open_among(work, [row[0] for row in written]))


def _letter_row(letter: DeadLetter) -> tuple[object, ...]:
    reason = letter.reason.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return (
        *letter.message.place, letter.message.timestamp_ms, headers_json(letter.message.headers), letter.message.key,
        letter.message.value, letter.system, letter.type, letter.code, reason, letter.action, letter.owner,
        letter.row_key, alike(reason), _trace_id(letter.message), letter.tier, letter.mend_within,
        *(letter.behind or (None, None, None)),
    )  # fmt: skip


def _trace_id(message: Message) -> str | None:
    """The trace that a message belongs to, if its headers say so."""
    context = traceparent(message)
    return context.split("-")[1] if context else None


def headers_json(headers: Iterable[tuple[str, bytes]]) -> str:
    """Headers as the store keeps them: a JSON list of name and base64."""
    return orjson.dumps([[name, base64.b64encode(value).decode()] for name, value in headers]).decode()


def alike(reason: str) -> str:
    """What is the same in the reasons of refusals of one kind: everything but the numbers."""
    return re.sub(r"\d+", "#", reason)


def write_drifts(work: UnitOfWork, drifts: Sequence[Drift]) -> None:
    """Raise one exception per table, column and kind of drift, when this unit of work publishes; counts repetitions.

    One that was resolved opens again; one that was accepted is only counted.
    """
    if drifts:
        work.defer(partial(_write_drifts, work, drifts))


def _write_drifts(work: UnitOfWork, drifts: Sequence[Drift]) -> None:
    by_question: dict[str, list[Drift]] = {}
    for drift in _bounded(work, drifts):
        by_question.setdefault(_question(drift), []).append(drift)
    work.execute_with(
        "stage_drift",
        "question text, code text, system text, type text, detail text, owner text, place text, seen bigint",
        (
            (question, same[0].code, same[0].system, same[0].type, same[0].detail, same[0].owner, str(same[0].place),
             len(same))
            for question, same in by_question.items()
        ),
        """insert into exception as e (question, kind, code, system, type, detail, owner, place, seen, first_seen,
               last_seen)
           select question, 'contract_drift', code, system, type, detail, owner, place, seen, %s, %s from stage_drift
           on conflict (question) do update set seen = e.seen + excluded.seen, last_seen = excluded.last_seen,
               detail = excluded.detail, owner = excluded.owner,
               status = case when e.status = 'accepted' then e.status else 'open' end""",
        work.now,
        work.now,
    )  # fmt: skip


def _question(drift: Drift) -> str:
    return f"{drift.system}:{drift.type}:{drift.column}:{drift.code}"


def _bounded(work: UnitOfWork, drifts: Sequence[Drift]) -> list[Drift]:
    """The drifts; new ones of a table that has a great many of their kind already become one about all the others."""
    known = {
        row[0]
        for row in work.query(
            "select question from exception where question = any(%s)", list({_question(drift) for drift in drifts})
        )
    }
    if all(_question(drift) in known for drift in drifts):
        return list(drifts)
    there = {
        (row[0], row[1], row[2]): row[3]
        for row in work.query(
            """select system, type, code, count(*) from exception
               where kind = 'contract_drift' and system = any(%s) group by system, type, code""",
            list({drift.system for drift in drifts}),
        )
    }
    found = []
    for drift in drifts:
        kind = (drift.system, drift.type, drift.code)
        if _question(drift) not in known:
            there[kind] = there.get(kind, 0) + 1
            if there[kind] > _MOST_OF_A_KIND:
                detail = f"More than {_MOST_OF_A_KIND} columns differ in this way; the latest: {drift.detail}"
                drift = replace(drift, column=MANY, detail=detail)
        found.append(drift)
    return found


def write_audit(work: UnitOfWork, actor: str, action: str, subject: str, detail: Mapping[str, object]) -> None:
    """Append one row to the audit chain when this unit of work publishes: units of work take turns for that, so the
    chain has one end.
    """
    write_audits(work, actor, action, [(subject, detail)])


def write_audits(
    work: UnitOfWork, actor: str, action: str, entries: Sequence[tuple[str, Mapping[str, object]]]
) -> None:
    """The same for one action on many subjects, each with a row of its own, written together."""
    work.defer(partial(_append_audit, work, actor, action, entries))


def _append_audit(
    work: UnitOfWork, actor: str, action: str, entries: Sequence[tuple[str, Mapping[str, object]]]
) -> None:
    last = work.query("select seq, hash from audit order by seq desc limit 1")
    end, previous = (last[0][0], bytes(last[0][1])) if last else (0, GENESIS)
    rows: list[tuple[object, ...]] = []
    remarks: list[tuple[object, ...]] = []
    for seq, (subject, detail) in enumerate(entries, end + 1):
        kept, typed = _remarks_apart(detail)
        content = audit_content(seq, work.now.isoformat(), actor, action, subject, kept)
        digest = chain_hash(previous, content)
        rows.append((seq, work.now, actor, action, subject, orjson.dumps(kept).decode(), previous, digest))
        remarks += [(seq, *remark) for remark in typed]
        previous = digest
    work.copy("audit", ("seq", "at", "actor", "action", "subject", "detail", "previous", "hash"), rows)
    work.copy("audit_remark", ("seq", "name", "salt", "text"), remarks)


def _remarks_apart(detail: Mapping[str, object]) -> tuple[dict[str, object], list[tuple[str, bytes, str]]]:
    """The detail with a digest in place of each remark, and the remarks with their salts."""
    kept, typed = dict(detail), list[tuple[str, bytes, str]]()
    for name in REMARKS & detail.keys():
        words = detail[name]
        if isinstance(words, str) and words:
            salt = secrets.token_bytes(16)
            kept[name] = {"sha256": remark_digest(salt, words)}
            typed.append((name, salt, words))
    return kept, typed


def remark_digest(salt: bytes, words: str) -> str:
    """What stands in the audit for a remark that somebody typed."""
    return hashlib.sha256(salt + words.encode()).hexdigest()


def audit_content(seq: int, at: str, actor: str, action: str, subject: str, detail: Mapping[str, object]) -> bytes:
    """The bytes of an audit row that its hash covers; `at` is ISO 8601 in UTC."""
    return canonical_json([seq, at, actor, action, subject, detail])


def chain_hash(previous: bytes, content: bytes) -> bytes:
    """SHA-256 of the previous hash followed by the row's content."""
    return hashlib.sha256(previous + content).digest()
