"""Wall time, processor time and memory of the stages of a run."""

import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_EVERY = 0.2


@dataclass(slots=True)
class Meter:
    """Seconds by stage, added up where it comes in parts: `wall` by the clock, `cpu` of the processor (of all
    threads, and of processes that ended)."""

    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), _cpu()
        try:
            yield
        finally:
            self.wall[name] = round(self.wall.get(name, 0.0) + time.perf_counter() - wall, 2)
            self.cpu[name] = round(self.cpu.get(name, 0.0) + _cpu() - cpu, 2)


def _cpu() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def peak_gib(process: "subprocess.Popen[str]") -> float:
    """Wait for a process; the most memory that it and all processes it started held at one time, looked at five times
    a second. What they share counts once where the system tells it (Linux), else once for each."""
    most = 0
    while process.poll() is None:
        most = max(most, _held(process.pid))
        time.sleep(_EVERY)
    return round(most / 2**30, 2)


def _held(pid: int) -> int:
    """The bytes that a process and those below it hold now."""
    try:
        whole = psutil.Process(pid)
        return sum(map(_own, [whole, *whole.children(recursive=True)]))
    except psutil.Error:
        return 0  # it has just ended


def _own(process: psutil.Process) -> int:
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
    except (OSError, StopIteration):
        pass
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
