"""Erasing a person: a request with its plan, approval by a second person, and a proof that nothing is left.

What is erased is gone from the hub's tables in one transaction: rows and their history, golden versions old and new,
announcements, dead letters, stewards' remarks. Survivors are computed anew. What the law keeps stays and is named in
the proof. A keyed digest of each row's name keeps later events and snapshots from bringing the person back.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Engine

from mdm.clock import Clock
from mdm.core.identity import settle
from mdm.errors import Conflict, Invalid, NotFound, Refused, Stale
from mdm.hub.erase_proof import proof_of
from mdm.hub.in_force import in_force
from mdm.hub.process import BatchReport, Pipeline, apply_rows
from mdm.hub.recycling import settle_concerned, watch_again
from mdm.model.delta import LinkChange
from mdm.model.events import Operation
from mdm.model.ids import CrosswalkKey, Domain, RecordId
from mdm.model.mirror import Head, MirrorDelta
from mdm.privacy.policy import Policy, shipped_policy
from mdm.privacy.traces import telling, traces_of
from mdm.store import erasure as store
from mdm.store import ledger, recycled
from mdm.store.blotting import blot_anywhere
from mdm.store.identity import write_announcements, write_identity
from mdm.store.mirror import heads_of
from mdm.store.neighbourhood import load_neighbourhood
from mdm.store.reading import snapshot
from mdm.store.scoped import scope_of
from mdm.store.suppression import suppress
from mdm.store.unit_of_work import UnitOfWork, unit_of_work


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One source row of a request: the columns that go, and those that stay with the basis of their staying."""

    key: CrosswalkKey
    kind: str
    erased: tuple[str, ...]
    kept: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Erasure:
    """A request: what would be, or was, erased. It never repeats a value of the subject."""

    erasure_id: int
    status: str
    reason: str
    requested_by: str
    decided_by: str | None
    rows: tuple[PlannedRow, ...]
    entities: tuple[str, ...]
    #: Rows of others in which the subject is mentioned: platform, table, number, and why they stay.
    mentions: tuple[tuple[str, str, int, str], ...]
    proof: Mapping[str, Any] | None = None
    requested_at: datetime | None = None
    decided_at: datetime | None = None
    comment: str = ""

    @property
    def token(self) -> str:
        """Names what somebody who looked at it could decide about: its rows, what goes of them, and what is held."""
        said = (self.status, [(str(each.key), each.erased, sorted(each.kept.items())) for each in self.rows])
        return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def request(
    engine: Engine,
    clock: Clock,
    entity_id: str | None,
    names: Sequence[CrosswalkKey],
    kept: Mapping[str, str],
    actor: str,
    reason: str,
    policy: Policy | None = None,
) -> Erasure:
    """Ask for somebody's erasure: all rows of a golden customer with their dependents, or single source rows.

    Args:
        kept: `system.type.column` of columns that a legal hold keeps, with the basis.

    Raises:
        NotFound: the hub knows no such customer or row.
        Invalid: nobody is named, no reason given, or a hold names no column of the rows, or has no basis.
        Refused: whoever asks reaches a part of the hub only.
    """
    _must_reach_everything(engine)
    if not reason.strip():
        raise Invalid("A reason is needed.", action="Say who asked and on what grounds, without naming values.")
    _check_holds(kept)
    chosen = policy or shipped_policy()
    with unit_of_work(engine, clock, "erasure") as work:
        ids = _subject(work, entity_id, names, chosen)
        _check_columns(work, ids, kept)
        erasure_id = int(
            work.query(
                """insert into erasure (records, kept, reason, requested_by, requested_at)
                   values (%s, %s, %s, %s, %s) returning erasure_id""",
                sorted(ids), orjson.dumps(dict(kept)).decode(), reason, actor, work.now,
            )[0][0]
        )  # fmt: skip
        ledger.write_audit(work, actor, "erasure_requested", f"erasure {erasure_id}", {"rows": len(ids)})
        return _planned(work, erasure_id, chosen)


def find(engine: Engine, clock: Clock, erasure_id: int, policy: Policy | None = None) -> Erasure:
    """A request with its plan, or with its proof when it was carried out.

    Raises:
        NotFound: there is no such request.
    """
    del clock  # reading takes no time of its own
    _must_reach_everything(engine)
    with snapshot(engine) as work:
        return _planned(work, erasure_id, policy or shipped_policy())


def hold(
    engine: Engine,
    clock: Clock,
    erasure_id: int,
    kept: Mapping[str, str],
    actor: str,
    policy: Policy | None = None,
    expected: Collection[str] | None = None,
) -> Erasure:
    """Decide which columns of an open request a legal hold keeps, in place of what was decided before.

    Args:
        kept: `system.type.column` with the basis; empty to let everything go.
        expected: tokens of the states that the actor may have looked at; None for whatever it is by now.

    Raises:
        NotFound: there is no such request.
        Conflict: it was decided already.
        Invalid: a hold names no column of the request, or has no basis.
        Stale: it is none of those that were expected.
    """
    _must_reach_everything(engine)
    _check_holds(kept)
    chosen = policy or shipped_policy()
    with unit_of_work(engine, clock, "erasure") as work:
        ids, _, _ = _open_request(work, erasure_id)
        _check_expected(work, erasure_id, chosen, expected)
        _check_columns(work, ids, kept)
        work.execute(
            "update erasure set kept = %s where erasure_id = %s", orjson.dumps(dict(kept)).decode(), erasure_id
        )
        detail = {"columns": sorted(kept)}
        ledger.write_audit(work, actor, "erasure_holds_decided", f"erasure {erasure_id}", detail)
        return _planned(work, erasure_id, chosen)


def proof_document(found: Erasure) -> dict[str, Any]:
    """The proof of an erasure as a document to be kept, with a digest of itself. It holds no value of the subject.

    Raises:
        NotFound: the request was not carried out.
    """
    if found.proof is None:
        raise NotFound(f"Erasure {found.erasure_id} was not carried out; there is no proof.")
    content = {
        "document": "proof of erasure",
        "erasure": found.erasure_id,
        "reason": found.reason,
        "requested_by": found.requested_by,
        "requested_at": _moment(found.requested_at),
        "approved_by": found.decided_by,
        "carried_out_at": _moment(found.decided_at),
        "proof": dict(found.proof),
    }
    canonical = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return {**content, "sha256": hashlib.sha256(canonical).hexdigest()}


def reject(engine: Engine, clock: Clock, erasure_id: int, actor: str, comment: str) -> None:
    """Refuse a request; nothing is erased.

    Raises:
        NotFound: there is no such request.
        Conflict: it was decided already.
        Refused: who refuses it is the one who asked.
    """
    _must_reach_everything(engine)
    with unit_of_work(engine, clock, "erasure") as work:
        _, _, requested_by = _open_request(work, erasure_id)
        _must_be_another(actor, requested_by)
        work.execute(
            """update erasure set status = 'rejected', decided_by = %s, decided_at = %s, comment = %s
               where erasure_id = %s""",
            actor, work.now, comment, erasure_id,
        )  # fmt: skip
        ledger.write_audit(work, actor, "erasure_rejected", f"erasure {erasure_id}", {"comment": comment})


def carry_out(
    pipeline: Pipeline,
    erasure_id: int,
    actor: str,
    policy: Policy | None = None,
    progress: Callable[[str], None] = lambda _step: None,
    expected: Collection[str] | None = None,
) -> Erasure:
    """Approve a request as a second person and carry it out, in one transaction.

    Args:
        expected: tokens of the states that the approver may have looked at; None for whatever it is by now.

    Raises:
        NotFound: there is no such request.
        Conflict: it was decided already, or a trace would be left where none may be; nothing was erased.
        Refused: the approver is the one who asked, or reaches a part of the hub only.
        Stale: what would go, or is held, is none of what was expected.
    """
    chosen = policy or shipped_policy()
    _must_reach_everything(pipeline.engine)
    with unit_of_work(pipeline.engine, pipeline.clock, "erasure") as work:
        ids, kept, requested_by = _open_request(work, erasure_id)
        _must_be_another(actor, requested_by)
        _check_expected(work, erasure_id, chosen, expected)
        progress("collecting what identifies the subject")
        rows = store.rows_of(work, ids)
        traces = _traces(rows, kept, chosen)
        entities = store.entities_ever(work, ids)
        alone = traces - store.stated_by_others(work, traces, ids, chosen.held)
        progress("erasing rows and their history")
        pinned = store.pinned_with(work, alone, entities)
        others = store.entities_ever(work, {each for members in pinned.values() for each in members})
        pins = store.forget_pins(work, [*entities, *others], ids, alone)
        _survive_anew(pipeline, work, pinned)
        stated = recycled.forget(work, ids)
        versions = store.purge_history(work, ids)
        _apply(pipeline, work, rows, kept, stated)
        store.write_last_version(work, ids)
        progress("blotting out golden versions, announcements, remarks and dead letters")
        write_announcements(work, store.mark_erased(work, entities))
        emptied = store.blank_entities(work, entities)
        written = store.blank_words(work, entities, ids)
        about = Counter(store.blot_entities(work, entities, traces))
        about.update(store.blot_entities(work, others, alone))
        about.update(blot_anywhere(work, alone | telling(traces), alone, [row.key for row in rows]))
        blotted = {"golden versions emptied": emptied, "remarks emptied": written, "overrides": pins, **about}
        suppress(work, [row.key for row in rows], erasure_id)
        progress("looking for traces in every table")
        copies = store.drop_copies(work)
        proof = proof_of(work, rows, kept, traces, entities, blotted, versions, chosen)
        proof["copies_dropped"] = copies
        work.execute(
            """update erasure set status = 'carried_out', decided_by = %s, decided_at = %s, proof = %s
               where erasure_id = %s""",
            actor, work.now, orjson.dumps(proof).decode(), erasure_id,
        )  # fmt: skip
        detail = {"rows": len(rows), "entities": entities, "requested_by": requested_by}
        ledger.write_audit(work, actor, "subject_erased", f"erasure {erasure_id}", detail)
        done = replace(_planned(work, erasure_id, chosen), proof=proof)
    store.give_space_free(pipeline.engine)
    return done


def _subject(work: UnitOfWork, entity_id: str | None, names: Sequence[CrosswalkKey], policy: Policy) -> set[RecordId]:
    if entity_id is None and not names:
        raise Invalid("Nobody is named.", action="Name a golden customer or source rows.")
    ids: set[RecordId] = set()
    if entity_id is not None:
        ids |= store.members_ever(work, entity_id)
        if not ids:
            raise NotFound(f"No source row ever belonged to {entity_id}.")
    known = {head.key: head.rec_id for head in heads_of(work, names)}
    missing = [name for name in names if name not in known]
    if missing:
        raise NotFound(f"The hub knows no row {', '.join(map(str, missing))}.")
    ids |= set(known.values())
    return ids | store.referring(work, ids, policy.dependent)


def _open_request(work: UnitOfWork, erasure_id: int) -> tuple[set[RecordId], dict[str, str], str]:
    rows = work.query(
        "select records, kept, requested_by, status from erasure where erasure_id = %s for update", erasure_id
    )
    if not rows:
        raise NotFound(f"There is no erasure {erasure_id}.", action="`mdm erase list` shows all requests.")
    records, kept, requested_by, status = rows[0]
    if status != "open":
        raise Conflict(f"Erasure {erasure_id} was decided already: {status.replace('_', ' ')}.")
    return set(map(RecordId, records)), kept, requested_by


def _planned(work: UnitOfWork, erasure_id: int, policy: Policy) -> Erasure:
    found = work.query(
        """select status, reason, requested_by, decided_by, records, kept, proof, requested_at, decided_at, comment
           from erasure where erasure_id = %s""",
        erasure_id,
    )
    if not found:
        raise NotFound(f"There is no erasure {erasure_id}.", action="`mdm erase list` shows all requests.")
    status, reason, requested_by, decided_by, records, kept, proof, requested_at, decided_at, comment = found[0]
    ids = list(map(RecordId, records))
    rows = store.rows_of(work, ids)
    traces = telling(_traces(rows, kept, policy))
    mentions = store.records_with(work, traces) if traces and status == "open" else []
    return Erasure(
        erasure_id=erasure_id,
        status=status,
        reason=reason,
        requested_by=requested_by,
        decided_by=decided_by,
        rows=tuple(_planned_row(row, kept) for row in rows),
        entities=tuple(store.entities_ever(work, ids)),
        mentions=tuple(
            (system, type_, count, policy.held.get(kind, "stated by another record"))
            for system, type_, kind, count in mentions
        ),
        proof=proof,
        requested_at=requested_at,
        decided_at=decided_at,
        comment=comment,
    )


def _check_expected(work: UnitOfWork, erasure_id: int, policy: Policy, expected: Collection[str] | None) -> None:
    if expected is not None and _planned(work, erasure_id, policy).token not in expected:
        raise Stale("The request has changed since you looked at it.", action="Read it again and decide anew.")


def against_deciding(actor: str, requested_by: str) -> Refused | None:
    """What keeps somebody from approving or refusing an erasure: they asked for it."""
    if actor != requested_by:
        return None
    said = "Whoever asks for an erasure may not approve it, nor refuse it."
    return Refused(said, action="Ask somebody else to look at it.")


def _must_be_another(actor: str, requested_by: str) -> None:
    if (against := against_deciding(actor, requested_by)) is not None:
        raise against


def _must_reach_everything(engine: Engine) -> None:
    """An erasure looks for its subject everywhere, and its plan tells where it was found."""
    if scope_of(engine).limits_rows:
        raise Refused(
            "An erasure goes through the whole hub, and your scope is limited.", action="Ask somebody without limits."
        )


def _check_holds(kept: Mapping[str, str]) -> None:
    for column, basis in kept.items():
        if column.count(".") < 2 or not basis.strip():
            raise Invalid(f"{column!r} is no hold.", action="Name system.type.column and the basis of keeping it.")


def _check_columns(work: UnitOfWork, ids: set[RecordId], kept: Mapping[str, str]) -> None:
    """A hold that is misspelt would hold nothing, and what is gone does not come back."""
    known = {_name(row.key, column) for row in store.rows_of(work, ids) for each in row.versions for column in each}
    strangers = sorted(set(kept) - known)
    if strangers:
        tables = sorted({".".join(name.split(".")[:2]) for name in known})
        raise Invalid(
            f"The request has no {', '.join(strangers)}.", action=f"Name columns of its rows: {', '.join(tables)}."
        )


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds")


def _planned_row(row: store.RowOf, kept: Mapping[str, str]) -> PlannedRow:
    columns = {column for version in row.versions[:-1] or row.versions for column in version}
    held = {column: basis for column in columns if (basis := kept.get(_name(row.key, column))) is not None}
    return PlannedRow(row.key, row.kind, tuple(sorted(columns - held.keys())), held)


def _name(key: CrosswalkKey, column: str) -> str:
    return f"{key.system}.{key.type}.{column}"


def _traces(rows: Collection[store.RowOf], kept: Mapping[str, str], policy: Policy) -> frozenset[str]:
    """What identifies the subject, without what a legal hold keeps and without the rows' own keys."""
    held = {
        str(value)
        for row in rows
        for version in row.versions
        for column, value in version.items()
        if _name(row.key, column) in kept and value is not None
    }
    keys = {row.key.key for row in rows}
    return traces_of((version for row in rows for version in row.versions), policy) - held - keys


def _survive_anew(pipeline: Pipeline, work: UnitOfWork, members: Mapping[str, list[RecordId]]) -> None:
    """Golden records on which something of the subject's was pinned take another value now."""
    if not members:
        return
    rules = in_force(work.query, pipeline.rules)
    for domain, records in members.items():
        hood = load_neighbourhood(work, Domain(domain), records, records, {})
        write_identity(work, settle(hood, rules, work.now, LinkChange(), "erasure"))


def _apply(
    pipeline: Pipeline,
    work: UnitOfWork,
    rows: Sequence[store.RowOf],
    kept: Mapping[str, str],
    stated: Collection[str],
) -> None:
    """Bring rows to what may stay of them, and resolve what that touches as if their platform had said so.

    Args:
        stated: numbers of theirs, which others may have had from them.
    """
    by_key = {row.key: row for row in rows}
    heads = [_head(head, by_key[head.key], kept) for head in heads_of(work, list(by_key))]
    apply_rows(pipeline, work, MirrorDelta(tuple(heads), (), (), (), {}), BatchReport())
    settle_concerned(work, in_force(work.query, pipeline.rules), watch_again(work, pipeline.catalogue, stated))
    work.publish()
    tables = [(profile.system, profile.table) for profile in pipeline.catalogue.profiles]
    recycled.forget_words(work, stated, list(by_key), tables)
    store.clear_deleted(work, [row.rec_id for row in rows])


def _head(head: Head, row: store.RowOf, kept: Mapping[str, str]) -> Head:
    left = {column: value for column, value in (head.row or {}).items() if _name(row.key, column) in kept}
    if head.deleted or not left:
        return replace(
            head, row=None, deleted=True, operation=Operation.DELETE, previous_key=None, unresolved=frozenset()
        )
    return replace(head, row=left, previous_key=None, unresolved=frozenset())
