"""Anchoring the audit chain in a folder outside the database, and holding the chain against what was anchored.

The folder should be one that the database's owners cannot write to afterwards: another machine's, a bucket with object
lock, a medium that is written once. One hub per folder.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Engine

from mdm.clock import Clock
from mdm.errors import Conflict, Invalid, OperatorError
from mdm.hub.audit_check import note_break
from mdm.model.anchors import MOST_BYTES, Anchor, Kept, NoAnchor, read, written
from mdm.store.audit_ends import Reseal, cut, hashes_of, newest_end, reseal, reseals, seen_end
from mdm.store.invariants import audit_breaks
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

_PATTERN = "audit-*.json"
#: How often the calendar anchors.
ANCHORED_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Anchors:
    """What a folder holds: anchors, the oldest first, and files that look like anchors and are none."""

    kept: tuple[Kept, ...] = ()
    strange: tuple[tuple[str, str], ...] = ()


NO_ANCHORS = Anchors()


@dataclass(frozen=True, slots=True)
class Fault:
    """Where the chain does not hold: `seq` is the first entry in doubt, `place` that entry or the anchor's file."""

    seq: int
    place: str
    what: str


@dataclass(frozen=True, slots=True)
class AuditVerification:
    """What was looked at, what does not hold, and what somebody has said is lost."""

    entries: int
    anchors: int
    newest_anchor: datetime | None
    faults: tuple[Fault, ...]
    reseals: tuple[Reseal, ...]

    @property
    def holds(self) -> bool:
        return not self.faults


def read_anchors(folder: Path, key: Ed25519PublicKey | None = None) -> Anchors:
    """The anchors of a folder; with a key their signatures are checked.

    Raises:
        OperatorError: the folder cannot be read.
    """
    kept, strange = list[Kept](), list[tuple[str, str]]()
    try:
        for path in sorted(folder.glob(_PATTERN) if folder.is_dir() else _none(folder)):
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
            try:
                kept.append(read(path.name, data, key))
            except NoAnchor as fault:
                strange.append((path.name, str(fault)))
    except OSError as fault:
        raise _unusable(folder, "read", fault) from fault
    return Anchors(tuple(sorted(kept, key=lambda each: (each.anchor.at, each.anchor.seq))), tuple(strange))


def _none(folder: Path) -> Iterator[Path]:
    raise FileNotFoundError(f"{folder} is no folder")


def current_anchor(engine: Engine, clock: Clock, before: Kept | None = None) -> Anchor:
    """The anchor of the chain as it is now.

    Raises:
        Conflict: the audit has no entry yet.
    """
    with snapshot(engine) as work:
        end = newest_end(work)
    if end is None:
        raise Conflict("The audit has no entry yet.", action="Anchor it once something was done.")
    return Anchor(end.seq, end.hash, clock(), before.sha256 if before else None)


def anchor_to(engine: Engine, clock: Clock, folder: Path, key: Ed25519PrivateKey | None = None) -> Path:
    """Write an anchor of the chain as it is now into the folder; returns its file. Nothing is ever written over.

    Raises:
        Conflict: the audit has no entry yet.
        OperatorError: the folder cannot be read or written.
    """
    kept = read_anchors(folder).kept
    anchor = current_anchor(engine, clock, kept[-1] if kept else None)
    path = folder / f"audit-{anchor.at:%Y%m%dT%H%M%S.%fZ}-{anchor.seq}.json"
    hidden = path.with_name(f".{path.name}.part")
    try:
        with hidden.open("xb") as file:
            file.write(written(anchor, key))
            file.flush()
            os.fsync(file.fileno())
        hidden.rename(path)
    except OSError as fault:
        raise _unusable(folder, "written to", fault) from fault
    return path


def anchor_when_due(
    engine: Engine, clock: Clock, folder: Path, key: Ed25519PrivateKey | None = None
) -> tuple[Fault, ...]:
    """Once a day: hold the chain against all anchors, and anchor it if it holds; returns what does not hold.

    A chain that does not hold is not anchored: the anchors tell until when it did.

    Raises:
        OperatorError: the folder cannot be read or written.
    """
    anchors = read_anchors(folder, key.public_key() if key else None)
    if anchors.kept and clock() - anchors.kept[-1].anchor.at < ANCHORED_EVERY:
        return ()
    with snapshot(engine) as work:
        faults, empty = tuple(against(work, anchors)), newest_end(work) is None
    if faults:
        note_break(engine, min(each.seq for each in faults))
    elif not empty:
        anchor_to(engine, clock, folder, key)
    return faults


def against(work: UnitOfWork, anchors: Anchors) -> Iterator[Fault]:
    """What does not hold between the chain and what was anchored: it was cut or written anew, or anchors are not whole.

    An anchor of entries that somebody has said are lost (`reseal`) is no fault.
    """
    for name, what in anchors.strange:
        yield Fault(1, name, what)
    earlier = set[str]()
    for each in anchors.kept:
        if each.signature_fault is not None:
            yield Fault(each.anchor.seq, each.name, each.signature_fault)
        if earlier and each.anchor.before not in earlier:
            yield Fault(each.anchor.seq, each.name, "names an anchor before it that is gone or was changed")
        earlier.add(each.sha256)
    yield from _contradicted(work, anchors.kept)


def _contradicted(work: UnitOfWork, kept: Sequence[Kept]) -> Iterator[Fault]:
    hashes = hashes_of(work, [each.anchor.seq for each in kept])
    newest, said = newest_end(work), reseals(work)
    end, good = newest.seq if newest else 0, 0
    for each in kept:
        seq, at, when = each.anchor.seq, each.anchor.at, _told(each.anchor.at)
        if hashes.get(seq) == each.anchor.hash:
            good = max(good, seq)
        elif any(one.excuses(seq, at) for one in said):
            continue
        elif seq > end:
            yield Fault(end + 1, each.name, f"rows {end + 1} to {seq} were there at {when}, are gone")
        elif seq in hashes:
            yield Fault(
                min(good + 1, seq), each.name,
                f"row {seq} is not the one that was there at {when}: the chain was written anew, "
                f"from a row after {good if good < seq else 0} on",
            )  # fmt: skip
        else:
            yield Fault(seq, each.name, f"row {seq} was there at {when}, and is gone")


def _told(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S %Z}"


def verify_audit(engine: Engine, anchors: Anchors = NO_ANCHORS) -> AuditVerification:
    """Compute the whole chain anew, and hold it against the end that the calendar saw and against all anchors."""
    with snapshot(engine) as work:
        end = newest_end(work)
        faults = [Fault(seq, f"row {seq}", what) for seq, what in audit_breaks(work)]
        faults += against(work, anchors)
        told = reseals(work)
    newest = anchors.kept[-1].anchor.at if anchors.kept else None
    return AuditVerification(end.seq if end else 0, len(anchors.kept), newest, tuple(faults), tuple(told))


def reseal_audit(engine: Engine, clock: Clock, anchors: Anchors, actor: str, reason: str) -> Reseal:
    """Say in the chain which entries are lost, after a restore from an older backup; it goes on from what is left.

    It takes nothing away: the entry names who says so and why, `verify_audit` shows it for good, and anchors that are
    older than the entries said to be lost must still agree.

    Raises:
        Invalid: no reason is given.
        Conflict: nothing is lost.
    """
    if not reason.strip():
        raise Invalid("A reason is needed.", action="Say which backup was restored and why, without naming values.")
    with unit_of_work(engine, clock, "audit") as work:
        lost = [each.anchor.seq for each in anchors.kept if _gone(work, each)]
        seen = seen_end(work)
        if seen is not None and any(cut(work)):
            lost.append(seen.seq)
        if not lost:
            raise Conflict(
                "No entry of the audit that was seen or anchored is lost.",
                action="`mdm audit verify` says what does not hold; an edited entry cannot be resealed.",
            )
        newest = newest_end(work)
        end, first = newest.seq if newest else 0, min(lost)
        agreeing = [each.anchor.seq for each in anchors.kept if each.anchor.seq < first and not _gone(work, each)]
        # Where the hub has written on since, what is sure is only what an anchor agrees with.
        kept_to = end if end < first else max(agreeing, default=0)
        reseal(work, actor, kept_to, max(lost), reason)
        return Reseal(end + 1, work.now, actor, kept_to, max(lost), reason)


def _gone(work: UnitOfWork, each: Kept) -> bool:
    excused = any(one.excuses(each.anchor.seq, each.anchor.at) for one in reseals(work))
    return not excused and hashes_of(work, (each.anchor.seq,)).get(each.anchor.seq) != each.anchor.hash


def _unusable(folder: Path, how: str, fault: OSError) -> OperatorError:
    return OperatorError(
        f"The folder of anchors {folder} cannot be {how}: {fault.strerror or fault}.",
        action="Make it, mount it or name another one (MDM_AUDIT_ANCHORS); anchors that are there stay where they are.",
    )
