"""Where the time of a run goes: what the main thread is at, looked at some five hundred times a second.

A function that has a label begins a stage, one with a label inside another a part of it (`settle / cluster`). What the
thread waits for in the database's driver is counted beside: it is the database's work and the way there and back.
"""

import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

#: Seconds between two looks, and before a thread that computes must make way for the one that looks: a look that has to
#: wait for longer falls on the next call that waits for something itself, and there would be too many of these.
_EVERY, _MAKE_WAY = 0.002, 0.0002
#: The driver's method in which every call waits for the server.
_WAITING = ("psycopg.connection", "wait")

#: Stages of taking in a batch, by module and function.
RESOLVE: Mapping[tuple[str, str], str] = {
    ("mdm.intake.debezium", "translate"): "decode",
    ("mdm.hub.process", "prepare_by"): "standardise",
    ("mdm.hub.process", "_standard"): "standardise",
    ("mdm.hub.comparing", "with_comparisons"): "standardise",
    ("mdm.store.unit_of_work", "_opened"): "begin",
    ("mdm.hub.admitting", "to_take_in"): "order, tiers, gates",
    ("mdm.store.mirror", "load_mirror"): "rows and their history read",
    ("mdm.store.mirror", "load_forms"): "rows and their history read",
    ("mdm.store.mirror", "write_mirror"): "rows and their history written",
    ("mdm.hub.echoing", "mark_echoes"): "echoes",
    ("mdm.hub.recycling", "watch_identifiers"): "recycled identifiers",
    ("mdm.store.mirror", "claim_rows"): "claims",
    ("mdm.hub.resolve", "claim_changes"): "claims",
    ("mdm.store.pairs", "claim_connections"): "claims",
    ("mdm.hub.process", "_change"): "blocking keys made",
    ("mdm.store.pairs", "replace_keys"): "blocking keys written, blocks read",
    ("mdm.store.pairs", "blocks_of"): "blocks of others read",
    ("mdm.hub.oversized", "ask_about_blocks"): "blocks too large",
    ("mdm.hub.oversized", "ask_about_evidence"): "evidence",
    ("mdm.store.evidence", "evidence_owners"): "evidence",
    ("mdm.store.evidence", "pairs_of_owners"): "evidence",
    ("mdm.store.neighbourhood", "load_comparisons"): "candidates read",
    ("mdm.core.linking", "decide_links"): "candidates scored",
    ("matching.scoring", "derived_pairs"): "derive",
    ("matching.rows", "encode_rows"): "encode",
    ("mdm.store.reach", "links_of"): "links",
    ("mdm.hub.resolve", "_kept_links"): "links",
    ("mdm.core.linking", "change_links"): "links",
    ("mdm.store.identity", "write_links"): "links",
    ("mdm.store.neighbourhood", "claimed_reach"): "what links reach",
    ("mdm.store.neighbourhood", "load_neighbourhood"): "what links reach",
    ("mdm.core.identity", "settle"): "settle",
    ("matching.clustering", "cluster"): "cluster",
    ("survivorship.engine", "consolidate"): "golden records with lineage",
    ("mdm.core.announce", "traced"): "announce",
    ("mdm.core.announce", "check_announcements"): "announce",
    ("mdm.store.identity", "write_identity"): "identity and golden records written",
    ("mdm.hub.placing", "place"): "placed",
    ("mdm.hub.process", "_ask_ledger"): "ledger and audit",
    ("mdm.store.ledger", "write_outcomes"): "ledger and audit",
    ("mdm.store.ledger", "write_audit"): "ledger and audit",
    ("mdm.store.progress", "write_progress"): "ledger and audit",
    ("mdm.hub.lost", "watch_for_gaps"): "ledger and audit",
    ("mdm.store.unit_of_work", "publish"): "publish",
    ("psycopg.transaction", "__exit__"): "commit",
}


@dataclass(slots=True)
class Looks:
    """How often the thread was seen in each stage, and how often of these it waited for the database."""

    seen: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)

    def shares(self, least: float = 0.005) -> dict[str, str]:
        """By stage, its share of all looks, and that of waiting in it; the largest first, small ones together."""
        total = max(1, self.seen.total())
        large = {stage: count for stage, count in self.seen.most_common() if count >= least * total}
        told = {stage: _told(count, self.waiting[stage], total) for stage, count in large.items()}
        rest = {stage: count for stage, count in self.seen.items() if stage not in large}
        told["less than that, each"] = _told(sum(rest.values()), sum(self.waiting[each] for each in rest), total)
        told["all"] = _told(total, self.waiting.total(), total)
        return told


def _told(seen: int, waiting: int, total: int) -> str:
    return f"{100 * seen / total:.1f} % ({100 * waiting / total:.1f} waiting for the database)"


@contextmanager
def looking(labels: Mapping[tuple[str, str], str] = RESOLVE) -> Iterator[Looks]:
    """Look at what the calling thread does in the block."""
    looks, ended = Looks(), threading.Event()
    thread = threading.get_ident()

    def look() -> None:
        while not ended.wait(_EVERY):
            frame = sys._current_frames().get(thread)
            if frame is not None:
                stage, waits = _stage(frame, labels)
                looks.seen[stage] += 1
                looks.waiting[stage] += waits

    switching = sys.getswitchinterval()
    sys.setswitchinterval(_MAKE_WAY)
    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield looks
    finally:
        ended.set()
        watcher.join()
        sys.setswitchinterval(switching)


def _stage(innermost: FrameType, labels: Mapping[tuple[str, str], str]) -> tuple[str, bool]:
    """The labels on the stack, outermost first and each once in a row, and whether the driver waits."""
    path: list[str] = []
    waits = False
    frame: FrameType | None = innermost
    while frame is not None:
        name = (frame.f_globals.get("__name__", ""), frame.f_code.co_name)
        waits = waits or name == _WAITING
        label = labels.get(name)
        if label is not None and (not path or path[-1] != label):
            path.append(label)
        frame = frame.f_back
    return " / ".join(reversed(path)) or "between", waits
