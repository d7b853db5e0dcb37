"""What the bench calls the writes alone is all that a unit of work writes: sent again, it leaves the same hub."""

from collections.abc import Callable

from sqlalchemy import Engine, text

from bench.company_events import messages
from bench.journal import recorded, replayed
from mdm.clock import system_clock
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.hub.verify import verify
from mdm.intake.catalogue import Catalogue


def test_recorded_writes_are_rolled_back_and_leave_the_same_hub_when_sent_again(
    new_engine: Callable[[], Engine], catalogue: Catalogue
) -> None:
    before, coming = (part := list(messages(60)))[:40], part[40:]
    pipeline, other = (Pipeline(new_engine(), system_clock, catalogue, load_rules(catalogue)) for _ in range(2))
    for each in (pipeline, other):
        process(each, "test", before)
    empty = state_digest(pipeline.engine)

    with recorded(pipeline.engine) as journal:
        process(pipeline, "test", coming)

    assert state_digest(pipeline.engine) == empty
    assert 0 < len(journal.writes) < journal.statements
    assert journal.size > 0

    assert replayed(pipeline.engine, journal) > 0
    process(other, "test", coming)

    assert state_digest(pipeline.engine) == state_digest(other.engine) != empty
    assert verify(pipeline.engine, catalogue, pipeline.rules).differences == ()
    # And another unit of work finds its number, its place and its ids free.
    assert process(pipeline, "test", coming).golden == {}
    with pipeline.engine.connect() as connection:
        assert connection.execute(text("select count(*) from batch where publication is null")).scalar_one() == 0
