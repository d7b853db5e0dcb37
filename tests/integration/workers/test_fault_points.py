"""Killed before and after every durable step: the same golden state, every message accounted for, nothing unsaid."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mdm.bootstrap import make_engine
from mdm.faults import FAULT_POINTS
from mdm.hub.digest import state_digest
from mdm.store import migrate
from mdm.store.embedded import EmbeddedServer
from mdm.store.read_status import status_summary
from tests.harness.consumer_view import ConsumerView
from tests.harness.fault_loop import fault_messages, read_published

_ROOT = Path(__file__).parent.parent.parent.parent
_numbers = count(1)
#: Points that ingest and relay pass; those of releases are the affair of tests/integration/hub/releases.
_POINTS = tuple(point for point in FAULT_POINTS if not point.startswith(("release.", "rebuild.")))
#: More units of work than any of the commands needs here.
_MOST = 40

Trial = Callable[..., tuple[Engine, ConsumerView, list[int]]]


@pytest.fixture(scope="module")
def trial(postgres_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """Runs the loop with faults on a database of its own; gives the hub, what a consumer saw, and the exit codes."""
    engines: list[Engine] = []
    command = (sys.executable, "-m", "tests.harness.fault_loop")
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as loop:
        assert loop.stdin is not None
        assert loop.stdout is not None

        def run(*faults: str, acts: Sequence[str] = ("ingest",)) -> tuple[Engine, ConsumerView, list[int]]:
            """Do one act after the other on a new hub; the faults are those of the last."""
            assert loop.stdin is not None
            assert loop.stdout is not None
            name = f"fault_{next(_numbers)}"
            postgres_server.create_database(name)
            engine = make_engine(postgres_server.url(name))
            engines.append(engine)
            migrate.upgrade(engine)
            published = tmp_path_factory.mktemp("published") / name
            job = {"url": postgres_server.url(name), "published": str(published)}
            codes: list[int] = []
            for act in acts:
                loop.stdin.write(json.dumps({**job, "act": act, "faults": faults if act == acts[-1] else ()}) + "\n")
                loop.stdin.flush()
                codes = json.loads(loop.stdout.readline())["codes"]
            return engine, ConsumerView().read(read_published(published)), codes

        yield run
        loop.stdin.close()
    for engine in engines:
        engine.dispose()


@pytest.fixture(scope="module")
def quiet(trial: Trial) -> tuple[str, int]:
    """What the hub holds and how much it published when nothing happens."""
    engine, view, codes = trial()
    assert codes == [0]
    return state_digest(engine).state, view.taken


def check(engine: Engine, view: ConsumerView, quiet: tuple[str, int]) -> None:
    assert state_digest(engine).state == quiet[0]
    with engine.connect() as connection:
        messages = status_summary(connection)["messages"]
        golden = {
            row[0]: row[1]
            for row in connection.execute(text('select entity_id, "values" from golden where known_to is null'))
        }
        unpublished = connection.scalar(text("select count(*) from outbox where published_at is null"))
    assert messages["add_up"]
    assert sum(topic["applied"] + topic["stale"] + topic["ignored"] for topic in messages["topics"]) == len(
        fault_messages()
    )
    assert view.golden == golden
    assert view.gaps == []
    assert unpublished == 0


@pytest.mark.parametrize("point", _POINTS)
def test_a_death_at_this_point_changes_nothing(point: str, trial: Trial, quiet: tuple[str, int]) -> None:
    engine, view, codes = trial(f"{point}:2")

    assert codes == [-9, 0]
    check(engine, view, quiet)


def test_deaths_at_every_point_in_turn_change_nothing(trial: Trial, quiet: tuple[str, int]) -> None:
    engine, view, codes = trial(*(f"{point}:1" for point in _POINTS))

    assert codes == [-9] * len(_POINTS) + [0]
    check(engine, view, quiet)


@pytest.mark.parametrize(
    ("acts", "points"),
    [
        (("ingest", "replay"), ("unit.written", "unit.committed")),
        (("bulk", "rematch"), ("unit.written", "unit.committed")),
        (("ingest", "rebuild"), ("unit.committed",)),
    ],
)
def test_a_command_that_dies_at_any_of_its_durable_steps_is_done_by_doing_it_again(
    acts: tuple[str, ...], points: tuple[str, ...], trial: Trial, quiet: tuple[str, int]
) -> None:
    faults = [f"{point}:{number}" for number in range(1, _MOST) for point in points]

    engine, _, codes = trial(*faults, acts=acts)

    # Every step was its last one once, and then there were no more.
    assert 2 * len(points) < len(codes) < len(faults)
    assert codes == [-9] * (len(codes) - 1) + [0]
    assert state_digest(engine).state == quiet[0]


@pytest.mark.parametrize("point", [point for point in FAULT_POINTS if point.startswith("rebuild.")])
def test_an_exchange_that_dies_is_not_there_or_whole(point: str, trial: Trial, quiet: tuple[str, int]) -> None:
    engine, _, codes = trial(f"{point}:1", acts=("ingest", "rebuild"))

    assert codes == [-9, 0]
    assert state_digest(engine).state == quiet[0]
    with engine.connect() as connection:
        assert not connection.scalar(text("select count(*) from feed_control where paused"))
