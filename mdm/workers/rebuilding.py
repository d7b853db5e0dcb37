"""Consuming topics from their beginning in a scratch schema: does the hub hold what its sources' topics say?

Ids are issued anew there, so this is for comparing; what is taken into use is rebuilt from stored history
(`mdm.hub.rebuild`). It needs topics that still hold everything: a full snapshot, or compaction without loss.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from mdm.hub.content import read_content
from mdm.hub.process import BatchReport, Pipeline
from mdm.hub.rebuild import Rebuild
from mdm.hub.shuffle import compare, settle_decisions
from mdm.model.ids import RESOLUTION_ORDER
from mdm.store import carry
from mdm.store.retirements import carry_closed_tables
from mdm.store.scratch import consistent, scratch_engine, scratch_schema
from mdm.streams.protocol import Consumer
from mdm.workers.ingest import drain

Progress = Callable[[str, float], None]


def rebuild_from_feed(
    pipeline: Pipeline,
    feed: Consumer,
    progress: Progress = lambda _step, _share: None,
    *,
    dead_letter_limit: int,
    keep: bool = False,
) -> Rebuild:
    """Consume a feed to its end beside the live hub, apply what stewards decided, and compare.

    Raises:
        Conflict: another rebuild is running.
        TooManyDeadLetters: the feed cannot be read.
    """
    began = time.monotonic()
    with scratch_schema(pipeline.engine, "rebuild", keep=keep) as schema:
        with consistent(pipeline.engine) as work:
            carry.pack_judgements(work, schema)
            carry.pack_overrides(work, schema)
            carry.pack_echoes(work, schema)
            carry_closed_tables(work, schema)
            carry.pack_kept(work, schema)
            live = read_content(work)
        inside = replace(pipeline, engine=scratch_engine(pipeline.engine.url, schema))
        taken = 0

        def told(report: BatchReport) -> None:
            nonlocal taken
            taken += report.messages
            progress(f"consuming, {taken:,} messages", 0.5)

        try:
            drain(inside, feed, batch_size=1000, dead_letter_limit=dead_letter_limit, on_batch=told)
            settle_decisions(inside)
            rebuilt, found = compare(inside, live)
        finally:
            inside.engine.dispose()
        progress("done", 1.0)
    return Rebuild(
        rows=len(rebuilt.rows),
        entities={domain: len(rebuilt.entities[domain]) for domain in RESOLUTION_ORDER},
        differences=found,
        swapped=False,
        seconds=time.monotonic() - began,
    )
