"""The change log laid out in another order is the same log, and what differs from its outcome is found."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from mdm.core.comparison import Content, Difference
from mdm.errors import Conflict
from mdm.hub.process import Pipeline
from mdm.hub.replay import replay
from mdm.hub.shuffle import LaidOut, compare, consume_from, lay_out, settle_decisions
from mdm.hub.verify import verify
from mdm.model.events import ChangeEvent
from mdm.store.change_log import read_shuffled
from mdm.store.reading import snapshot
from mdm.store.refold import EventRange
from mdm.store.scratch import scratch_engine, scratch_schema
from survivorship.echoes import said_digest
from tests.harness.tampering import tamper
from tests.integration.hub.conftest import Feed, world_messages

ALL = 10**6


@pytest.fixture
def fed(feed: Feed) -> None:
    """Some tables of one platform: updates, deletes, merges and contracts, small enough to replay often."""
    tables = ("crm.public.account", "crm.public.product2", "crm.public.contract")
    feed([message for message in world_messages() if message.place.topic in tables])


@pytest.fixture
def inside(pipeline: Pipeline) -> Iterator[Pipeline]:
    """A pipeline into a scratch schema."""
    with scratch_schema(pipeline.engine, "test") as schema:
        yield replace(pipeline, engine=scratch_engine(pipeline.engine.url, schema))


def laid_out(pipeline: Pipeline, seed: int, duplicate: float = 0.2) -> tuple[LaidOut, list[ChangeEvent]]:
    with scratch_schema(pipeline.engine, "test") as schema:
        laid = lay_out(pipeline, schema, seed=seed, duplicate=duplicate)
        with snapshot(scratch_engine(pipeline.engine.url, schema)) as work:
            return laid, list(read_shuffled(work, 0, ALL))


def replayed(pipeline: Pipeline, inside: Pipeline, live: Content | None = None) -> tuple[Difference, ...]:
    laid = lay_out(pipeline, "mdm_scratch_test", seed=5, duplicate=0.3)
    position: int | None = 0
    while position is not None:
        position = consume_from(inside, position, 5)
    settle_decisions(inside)
    return compare(inside, live or laid.live)[1]


@pytest.mark.usefixtures("fed")
def test_the_seed_decides_the_order_and_the_order_within_a_row_is_kept(pipeline: Pipeline) -> None:
    laid, events = laid_out(pipeline, seed=1, duplicate=0.0)
    offsets: dict[tuple[object, int], list[int]] = {}
    for event in events:
        offsets.setdefault((event.key, event.place.partition), []).append(event.place.offset)

    assert laid.deliveries == laid.events == len(events)
    assert all(each == sorted(each) for each in offsets.values())
    assert laid_out(pipeline, seed=1, duplicate=0.0)[1] == events
    assert laid_out(pipeline, seed=2, duplicate=0.0)[1] != events


@pytest.mark.usefixtures("fed")
def test_duplicates_come_later_as_the_same_message_or_at_another_offset(pipeline: Pipeline) -> None:
    laid, events = laid_out(pipeline, seed=3, duplicate=0.5)
    times = Counter(event.place for event in events)
    moved = [event for event in events if event.place.offset >= 2**40]

    assert 0.4 < (laid.deliveries - laid.events) / laid.events < 0.6
    assert max(times.values()) == 2
    assert len(moved) > 0.3 * (laid.deliveries - laid.events)


@pytest.mark.usefixtures("fed")
def test_shuffled_and_doubled_events_end_in_the_live_state(pipeline: Pipeline, inside: Pipeline) -> None:
    assert replayed(pipeline, inside) == ()


@pytest.mark.usefixtures("fed")
def test_a_tampered_golden_value_is_named_down_to_the_field(
    engine: Engine, pipeline: Pipeline, inside: Pipeline
) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("""update golden set "values" = jsonb_set("values", '{name}', '"Somebody Else"')
                    where entity_id = (select min(entity_id) from golden where domain = 'customer')""")
        )

    (difference,) = replayed(pipeline, inside)

    assert difference.kind == "customer golden"
    assert difference.subject.endswith(" name")
    assert "live: 'Somebody Else', replayed: '" in difference.detail


@pytest.mark.usefixtures("fed")
def test_a_lost_event_shows_as_a_row_and_its_values(engine: Engine, pipeline: Pipeline, inside: Pipeline) -> None:
    tamper(
        engine,
        """delete from record_history where (rec_id, pos_major, pos_minor) = (
             select r.rec_id, r.pos_major, r.pos_minor
             from source_record r join record_history h using (rec_id)
             where r.type = 'account' and not r.deleted and r.operation = 'u'
             group by r.rec_id having count(*) > 1 order by r.rec_id limit 1)""",
    )

    assert {each.kind for each in replayed(pipeline, inside)} >= {"row"}


@pytest.mark.usefixtures("fed")
def test_what_stewards_decided_is_replayed_too(engine: Engine, pipeline: Pipeline, inside: Pipeline) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("""insert into judgement (domain, a, b, verdict, author)
                    select 'customer', min(rec_id), max(rec_id), 'same', 'tester'
                    from source_record where type = 'account' and not deleted""")
        )

    (parted, *_) = replayed(pipeline, inside)

    assert parted.kind == "customer entity", "the live hub has not acted on the judgement, the replayed one has"


@pytest.mark.usefixtures("fed")
def test_pinned_values_are_replayed_too(engine: Engine, pipeline: Pipeline, inside: Pipeline) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("""insert into golden_override (domain, attribute, value, anchors, overruled, author, reason,
                        decision_id, created_at)
                    select 'customer', 'industry', '"Pinned"', array[min(rec_id)], '[]', 'tester', 'it is so', 1, now()
                    from source_record where type = 'account' and not deleted""")
        )

    (difference,) = replayed(pipeline, inside)

    assert difference.kind == "customer golden"
    assert difference.subject.endswith(" industry")
    assert "replayed: 'Pinned'" in difference.detail, "the live hub has not acted on the override, the replayed one has"


@pytest.mark.usefixtures("fed")
def test_records_that_repeat_the_hub_are_compared_by_their_own_words_in_any_order(
    engine: Engine, pipeline: Pipeline, inside: Pipeline
) -> None:
    """Names of some records only repeat the hub: of those that had another name before, and of those that had none."""
    query = "select key, attributes->>'name', comparison from source_record where type = 'account' and not deleted"
    with engine.begin() as connection:
        before = {row[0]: row[2] for row in connection.execute(text(query))}
        for rec_id, name in connection.execute(
            text("""select rec_id, attributes->>'name' from source_record
                    where type = 'account' and not deleted and attributes->>'name' is not null
                    order by (select count(distinct h.row->>'name') from record_history h
                              where h.rec_id = source_record.rec_id) desc, rec_id limit 40""")
        ).all():
            connection.execute(
                text("insert into echo (rec_id, attribute, said, batch_id) values (:id, 'name', :said, 0)"),
                {"id": rec_id, "said": said_digest(name)},
            )
    replay(pipeline, EventRange(type="account"), "tester")
    with engine.connect() as connection:
        after = {row[0]: row[2] for row in connection.execute(text(query))}
    other = [key for key in before if before[key] != after[key]]

    assert any(after[key].get("name") for key in other), "compared by a former name"
    assert any("name" not in after[key] for key in other), "compared by no name"
    assert verify(engine, pipeline.catalogue, pipeline.rules).differences == ()
    assert replayed(pipeline, inside) == ()


def test_two_proofs_at_once_are_refused(pipeline: Pipeline) -> None:
    with (
        scratch_schema(pipeline.engine, "test"),
        pytest.raises(Conflict, match="Another process"),
        scratch_schema(pipeline.engine, "test"),
    ):
        pass


def test_a_scratch_schema_is_gone_afterwards(engine: Engine, pipeline: Pipeline) -> None:
    with scratch_schema(pipeline.engine, "test"):
        pass

    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from pg_namespace where nspname like 'mdm_scratch%'")) == 0
