"""Recycled identifiers for people: what happened, what to take back, and the word that it is one company after all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mdm.core.recycled import Holder, recycled_key, recycled_number, statements_of
from mdm.errors import Conflict, Invalid, NotFound
from mdm.hub.in_force import in_force
from mdm.hub.process import Pipeline
from mdm.hub.reach import must_reach_all
from mdm.hub.recycling import settle_concerned
from mdm.hub.sharing import beside_others
from mdm.intake.catalogue import Catalogue
from mdm.model.ids import CrosswalkKey
from mdm.store import recycled as store
from mdm.store.ledger import write_audit
from mdm.store.mirror import histories_of
from mdm.store.read_recycled import Noted, TakeBack, noted, to_take_back
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import UnitOfWork

#: Most identifiers listed.
MOST = 200


@dataclass(frozen=True, slots=True)
class Told:
    """A recycled identifier with the names that its holders had, and what to take back."""

    noted: Noted
    holders: tuple[Holder, ...]
    take_back: tuple[TakeBack, ...]


def told(pipeline: Pipeline, most: int = MOST, exception_id: int | None = None) -> list[Told]:
    """Recycled identifiers, the latest one first.

    Raises:
        Refused: whoever asks reaches part of the hub.
    """
    must_reach_all(pipeline.engine, "Recycled identifiers")
    with pipeline.engine.connect() as connection:
        found = noted(connection, most, exception_id)
        back = [to_take_back(connection, each) for each in found]
    with snapshot(pipeline.engine) as work:
        return [
            Told(each, _holders(work, pipeline.catalogue, each), tuple(some))
            for each, some in zip(found, back, strict=True)
        ]


def keep(pipeline: Pipeline, exception_id: int, reason: str, actor: str) -> None:
    """Say that the holders are one company after all: the identifier counts again. Its exception is accepted.

    Raises:
        Invalid: no reason is given.
        NotFound: there is no such recycled identifier.
        Conflict: it counts already.
    """
    _say(pipeline, exception_id, reason, actor, counts=True)


def demote(pipeline: Pipeline, exception_id: int, reason: str, actor: str) -> None:
    """Take that word back: the identifier counts for nothing again. Raises as `keep`."""
    _say(pipeline, exception_id, reason, actor, counts=False)


def _say(pipeline: Pipeline, exception_id: int, reason: str, actor: str, *, counts: bool) -> None:
    if not reason.strip():
        raise Invalid("This needs a reason.", action="Say why; the audit keeps it.")
    must_reach_all(pipeline.engine, "Recycled identifiers")

    def attempt(work: UnitOfWork) -> None:
        rows = work.query(
            """select r.system, r.type, r.identifier from recycled_identifier r join exception e using (question)
               where e.exception_id = %s""",
            exception_id,
        )
        if not rows:
            raise NotFound(
                f"Exception {exception_id} is about no recycled identifier.",
                action="`mdm identifiers recycled` has them.",
            )
        name = store.Name(*rows[0])
        done = store.keep(work, name, actor, reason.strip()) if counts else store.unkeep(work, name)
        if not done:
            raise Conflict(
                f"The identifier of exception {exception_id} {'counts' if counts else 'is demoted'} already.",
                action="`mdm identifiers recycled` shows who said so.",
            )
        settle_concerned(work, in_force(work.query, pipeline.rules), store.concerned(work, [name]))
        if counts:
            store.close(work, [name.question], "accepted", actor, reason.strip())
        else:
            work.execute(
                """update exception set status = 'open', closed_at = null, closed_by = null, closed_reason = null
                   where question = %s""",
                name.question,
            )
        detail = {"exception": exception_id, "reason": reason.strip()}
        write_audit(work, actor, "identifier_kept" if counts else "identifier_demoted", name.question, detail)
        work.publish()

    beside_others(pipeline.engine, pipeline.clock, "identifier", None, attempt)


def _holders(work: UnitOfWork, catalogue: Catalogue, found: Noted) -> tuple[Holder, ...]:
    """The holders with the names that their rows gave them then."""
    keys = [CrosswalkKey(*row.split(":", 2)) for rows, _, _ in found.holders for row in rows]
    profile = catalogue.profile(found.name.system, found.name.type)
    if profile is not None:
        histories = histories_of(work, set(keys))
        said = [each for key in sorted(histories) for each in statements_of(profile, key, histories[key])]
        if found.name.of_key:
            again = recycled_key(keys[0], said)
        else:
            again = recycled_number(found.name.system, found.name.type, found.name.identifier, said)
        if again is not None:
            return again.holders
    return tuple(
        Holder(tuple(CrosswalkKey(*row.split(":", 2)) for row in rows), "", _instant(since), _until(until))
        for rows, since, until in found.holders
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _until(text: str | None) -> datetime | None:
    return None if text is None else _instant(text)


def as_json(each: Told, *, numbers: bool) -> Mapping[str, object]:
    """For programs; `numbers` is whether the caller may see the number itself."""
    about = each.noted
    return {
        "exception_id": about.exception_id,
        "system": about.name.system,
        "table": about.name.type,
        "kind": "key" if about.name.of_key else "number",
        "identifier": about.name.identifier if numbers or about.name.of_key else masked(about.name.identifier),
        "owner": about.owner,
        "assignee": about.assignee,
        "status": about.status,
        "since": about.since,
        "known_at": about.known_at,
        "counts": about.counts,
        "kept": None
        if about.kept_by is None
        else {"by": about.kept_by, "at": about.kept_at, "reason": about.kept_because},
        "holders": [
            {"rows": list(map(str, holder.rows)), "name": holder.name, "since": holder.since, "until": holder.until}
            for holder in each.holders
        ],
        "take_back": [
            {
                "kind": one.kind, "what": one.what, "decision_id": one.decision_id, "by": one.by, "at": one.at,
                "reason": one.reason,
            }
            for one in each.take_back
        ],
    }  # fmt: skip


def masked(identifier: str) -> str:
    """`vat:de:` and dots."""
    return f"{identifier.rpartition(':')[0]}:•••"


def find(found: Sequence[Told], exception_id: int) -> Told:
    """The one of this exception.

    Raises:
        NotFound: it is about none.
    """
    for each in found:
        if each.noted.exception_id == exception_id:
            return each
    raise NotFound(
        f"Exception {exception_id} is about no recycled identifier.", action="`mdm identifiers recycled` has them."
    )
