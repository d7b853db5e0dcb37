"""Twenty real questions of a large world, answered in the browser by a careful steward with a keyboard.

Run by `make browser-medium WORLD=FOLDER`, with a world of known truth that does not come with the code: `events` and
`truth` as in the sample world. The steward looks at the preview before every merge; what they know is the truth.
"""

import json
import os
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlalchemy import Engine, text

from mdm.access import FORMER_STEWARD
from mdm.bootstrap import make_engine
from mdm.clock import system_clock
from mdm.hub.evaluate import true_entities
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.hub.worklist import rank_open_tasks
from mdm.intake.catalogue import load_catalogue
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store import accounts, migrate
from mdm.store.embedded import EmbeddedServer
from mdm.streams.file import FileFeed
from mdm.workers.ingest import drain
from tests.e2e import browsing
from tests.e2e.browsing import Keyboard
from tests.e2e.test_reviewing import rows, task_on

_WORLD = os.environ.get("MDM_MEDIUM_WORLD", "")
_QUESTIONS = 20

#: What the database says was answered to which question, as a decision or as a proposal for a second person.
_GIVEN = """
select task_id, kind from decision where actor = 'user:ada'
union all select task_id, kind from proposal where author = 'user:ada'
"""
_ORDER = """
select t.task_id from task_priority p join steward_task t using (task_id)
where t.status = 'open' and t.domain = 'customer' and t.kind = :kind order by p.rank desc, p.task_id
"""
_PAIR = """
select r.system, r.type, r.key from steward_task t join source_record r on r.rec_id in (t.a, t.b) where t.task_id = :id
"""

pytestmark = pytest.mark.skipif(not _WORLD, reason="needs a large world: make browser-medium WORLD=FOLDER")


@dataclass(frozen=True, slots=True)
class Answered:
    """A question as the truth has it, and what answering it took."""

    task_id: int
    same: bool
    presses: int
    seconds: float


@pytest.fixture
def medium(postgres_server: EmbeddedServer) -> Iterator[Engine]:
    """The large world as the live path leaves it."""
    postgres_server.create_database("medium_world")
    engine = make_engine(postgres_server.url("medium_world"))
    migrate.upgrade(engine)
    catalogue = load_catalogue(None)
    pipeline = Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
    drain(pipeline, FileFeed(Path(_WORLD) / "events"), batch_size=5000, dead_letter_limit=10_000)
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("analyze"))
    rank_open_tasks(engine, pipeline.rules, system_clock())
    yield engine
    engine.dispose()


def test_twenty_real_questions_take_a_median_of_at_most_three_keys(chromium: Browser, medium: Engine) -> None:
    truth = true_entities(Domain.CUSTOMER, Path(_WORLD))
    with medium.begin() as connection:
        password = accounts.create_account(connection, "ada", "Ada", FORMER_STEWARD)
    with browsing.serving(browsing.application(medium)) as address:
        page = chromium.new_context(viewport={"width": 1280, "height": 800}, base_url=address).new_page()
        browsing.sign_in(page, address, "ada", password)
        ada = Keyboard(page)
        told = []
        for kind in ("conflict", "possible_match"):
            look = f"domain=customer&kind={kind}"
            page.goto(f"/console/reviews/{_most_mixed(medium, truth, kind)}?{look}")
            told += [_answer(ada, medium, truth) for _ in range(_QUESTIONS // 2)]
    given = dict(rows(medium, _GIVEN))

    presses = [each.presses for each in told]
    print(
        json.dumps(
            {
                "records": rows(medium, "select count(*) from source_record where domain = 'customer'")[0][0],
                "questions open": rows(medium, "select count(*) from steward_task where status = 'open'")[0][0],
                "merges": sum(each.same for each in told),
                "held for a second person": rows(medium, "select count(*) from proposal where author = 'user:ada'")[0][
                    0
                ],
                "median presses": statistics.median(presses),
                "most presses": max(presses),
                "median seconds of the machine": round(statistics.median(each.seconds for each in told), 2),
            },
            indent=2,
        )
    )
    assert given == {each.task_id: "same" if each.same else "not_same" for each in told}
    assert min(sum(each.same for each in told), sum(not each.same for each in told)) >= _QUESTIONS // 4
    assert statistics.median(presses) <= 3


def _most_mixed(engine: Engine, truth: Mapping[CrosswalkKey, str], kind: str) -> int:
    """The question from which on the next ten in the queue are merges and rejections in the most equal parts. The most
    urgent of all are hard cases that are hardly ever the same."""
    order = [row[0] for row in rows(engine, _ORDER, kind=kind)]
    same = [_same(engine, truth, each) for each in order]
    part = _QUESTIONS // 2
    starts = range(len(order) - 2 * part)  # an answer may answer some of the next ones too
    return int(order[min(starts, key=lambda start: abs(sum(same[start : start + part]) - part / 2))])


def _same(engine: Engine, truth: Mapping[CrosswalkKey, str], task_id: int) -> bool:
    pair = [CrosswalkKey(*row) for row in rows(engine, _PAIR, id=task_id)]
    return len({truth.get(key, str(key)) for key in pair}) == 1


def _answer(ada: Keyboard, engine: Engine, truth: Mapping[CrosswalkKey, str]) -> Answered:
    """Answer the question on the page as the truth says; returns how many keys it took, and how long the hub."""
    task_id, before, begun = task_on(ada), ada.presses, time.perf_counter()
    same = _same(engine, truth, task_id)
    for key in ("p", "m") if same else ("n",):
        ada.press(key)
    assert task_on(ada) != task_id, "the next question follows"
    return Answered(task_id, same, ada.presses - before, time.perf_counter() - begun)
