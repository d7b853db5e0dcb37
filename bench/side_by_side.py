"""Several workers at one store: records a second that they commit together, each taking batches of its own.

Each is a process with a pool of its own, as workers of Kafka partitions are; they begin together, once each has taken a
batch that is not timed.
"""

import time
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from sqlalchemy import URL

from mdm.bootstrap import make_engine
from mdm.clock import system_clock
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from mdm.model.events import Message
from mdm.workers.collection import rare_collection

#: A worker that comes up no later than this; one that failed never does.
_READY = 300.0


def side_by_side(url: URL, batches: Sequence[Sequence[Message]], workers: int) -> dict[str, object]:
    """Deal these batches out to so many workers, the first of each not timed; a batch's time is from begin to commit.

    Raises:
        RuntimeError: a worker failed; what it said is on standard error.
        threading.BrokenBarrierError: one failed before it began, likewise.
    """
    context = get_context("spawn")
    began, done = context.Barrier(workers + 1), context.Queue()
    address = url.render_as_string(hide_password=False)
    processes = [
        context.Process(target=_work, args=(address, f"arrive {number}", batches[number::workers], began, done))
        for number in range(workers)
    ]
    for each in processes:
        each.start()
    began.wait(_READY)
    start = time.perf_counter()
    for each in processes:
        each.join()
    # What a process needs to end counts for nothing.
    found = [done.get() for each in processes if each.exitcode == 0]
    if len(found) < workers:
        raise RuntimeError(f"{workers - len(found)} of {workers} workers failed.")
    seconds = sorted(taken for _, times in found for taken in times)
    elapsed = max(ended for ended, _ in found) - start
    return {
        "records_per_second": round(sum(map(len, batches[workers:])) / elapsed),
        "p50_ms": round(seconds[len(seconds) // 2] * 1000, 1),
        "p99_ms": round(seconds[min(len(seconds) - 1, int(len(seconds) * 0.99))] * 1000, 1),
    }


def _work(
    url: str,
    feed: str,
    batches: Sequence[Sequence[Message]],
    began: Barrier,
    done: "Queue[tuple[float, list[float]]]",
) -> None:
    engine, catalogue, seconds = make_engine(url), load_catalogue(None), list[float]()
    pipeline = Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
    with rare_collection():
        try:
            process(pipeline, feed, batches[0])
        except BaseException:
            began.abort()
            raise
        began.wait(_READY)
        for batch in batches[1:]:
            start = time.perf_counter()
            process(pipeline, feed, batch)
            seconds.append(time.perf_counter() - start)
    # The clock of one machine: what it shows in one process is what it shows in another.
    done.put((time.perf_counter(), seconds))
    engine.dispose()
