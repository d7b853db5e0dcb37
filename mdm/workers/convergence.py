"""Proves on the live hub's own change log that order, duplication and crashes do not matter.

The log is laid out shuffled in a scratch schema; a process of its own consumes it there and is killed (`kill -9`) at
moments that the seed decides, then started again a little before where it was. What comes out is compared with the live
hub, field by field. The live tables are read, never written.
"""

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import IO

import msgspec

from mdm.core.comparison import Difference
from mdm.errors import OperatorError
from mdm.hub.process import Pipeline
from mdm.hub.shuffle import compare, lay_out, reached, settle_decisions
from mdm.model.ids import RESOLUTION_ORDER, Domain
from mdm.store.scratch import scratch_engine, scratch_schema
from mdm.workers.shuffled import Orders

#: What a step reports: what is done, and the share of it from 0 to 1.
Progress = Callable[[str, float], None]
_POLL_SECONDS = 0.05
#: A killed consumer comes back up to this many deliveries before where it was.
_FURTHEST_BACK = 500
#: Crashes are spread over this part of the log, so that there is something left to be killed in.
_LAST_CRASH = 0.85


@dataclass(frozen=True, slots=True)
class Plan:
    """How to disturb: the share of events delivered twice, the number of crashes; the seed decides the rest."""

    duplicate: float = 0.2
    restarts: int = 5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Convergence:
    """What was replayed, how it was disturbed, and every difference from the live hub."""

    plan: Plan
    events: int
    deliveries: int
    kills: int
    digests: dict[Domain, tuple[str, str]]
    entities: dict[Domain, int]
    seconds: float
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        return not self.differences


def prove(
    pipeline: Pipeline, plan: Plan, progress: Progress = lambda _step, _share: None, *, keep: bool = False
) -> Convergence:
    """Replay the change log, disturbed by the plan, and compare with the live hub.

    Args:
        keep: leave the scratch schema in the database to look at; the next proof drops it.

    Raises:
        Conflict: another proof is running on this database.
        OperatorError: the plan makes no sense, or the consumer failed for another reason than being killed.
    """
    if not 0 <= plan.duplicate <= 1 or plan.restarts < 0:
        raise OperatorError(
            f"Duplicates {plan.duplicate} and restarts {plan.restarts} make no plan.",
            action="Give --duplicate a share from 0 to 1, and --restarts a number that is not negative.",
        )
    began = time.monotonic()
    with scratch_schema(pipeline.engine, "shuffle", keep=keep) as schema:
        progress("laying out the change log", 0.0)
        laid = lay_out(pipeline, schema, seed=plan.seed, duplicate=plan.duplicate)
        inside = replace(pipeline, engine=scratch_engine(pipeline.engine.url, schema))
        try:
            kills = _consume_all(inside, schema, laid.deliveries, plan, progress)
            settle_decisions(inside)
            progress("comparing", 1.0)
            replayed, found = compare(inside, laid.live)
        finally:
            inside.engine.dispose()
    return Convergence(
        plan=plan,
        events=laid.events,
        deliveries=laid.deliveries,
        kills=kills,
        digests={domain: (laid.live.digest(domain), replayed.digest(domain)) for domain in RESOLUTION_ORDER},
        entities={domain: len(replayed.entities[domain]) for domain in RESOLUTION_ORDER},
        seconds=time.monotonic() - began,
        differences=found,
    )


def _consume_all(inside: Pipeline, schema: str, deliveries: int, plan: Plan, progress: Progress) -> int:
    """Have everything consumed, through as many crashes as planned; returns how many there were."""
    chance = random.Random(plan.seed)  # noqa: S311 - a disturbance, not a secret
    aims = sorted(chance.uniform(0, _LAST_CRASH) * deliveries for _ in range(plan.restarts))
    url = inside.engine.url.render_as_string(hide_password=False)
    shipped = inside.rules.base or inside.rules
    kills, back = 0, 0
    for aim in [*aims, None]:
        orders = Orders(url, schema, plan.seed, back, max(deliveries // 20, 1), shipped.fingerprint)
        with tempfile.TemporaryFile() as complaints, _started(orders, complaints) as consumer:
            tell = partial(_tell, progress, f"replaying, {kills} of {plan.restarts} crashes", deliveries)
            _watch(inside, consumer, aim, chance, tell)
            if consumer.returncode > 0:
                complaints.seek(0)
                raise OperatorError(
                    f"The replay failed: {complaints.read().decode(errors='replace').strip()[-2000:]}",
                    action="Run it again with --keep and look at the scratch schema; nothing live was changed.",
                )
            kills += consumer.returncode < 0
        back = chance.randrange(_FURTHEST_BACK)
    return kills


def _tell(progress: Progress, step: str, deliveries: int, done: int) -> None:
    progress(step, done / deliveries if deliveries else 1.0)


def _watch(
    inside: Pipeline,
    consumer: subprocess.Popen[bytes],
    aim: float | None,
    chance: random.Random,
    progress: Callable[[int], None],
) -> None:
    """Wait until the consumer has ended, or kill it soon after it has come as far as `aim`.

    "Soon" is up to as long as a batch takes, so that a kill can hit any moment of a unit of work.
    """
    done, since, lasted = -1, time.monotonic(), 0.0
    while consumer.poll() is None:
        now = reached(inside)
        if now != done:
            lasted, since, done = time.monotonic() - since, time.monotonic(), now
            progress(done)
        if aim is not None and done >= aim:
            time.sleep(chance.uniform(0, lasted))
            consumer.kill()
            consumer.wait()
            return
        time.sleep(_POLL_SECONDS)


def _started(orders: Orders, complaints: IO[bytes]) -> subprocess.Popen[bytes]:
    consumer = subprocess.Popen(
        [sys.executable, "-m", "mdm.workers.shuffled"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=complaints,
    )
    assert consumer.stdin is not None
    consumer.stdin.write(msgspec.json.encode(asdict(orders)))
    consumer.stdin.close()
    return consumer
