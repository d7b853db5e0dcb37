"""Blind samples on the sample world: drawn from all strata, judged twice by people in an order of their own."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from mdm.clock import system_clock
from mdm.errors import Conflict, Invalid, NotFound
from mdm.hub import blind
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.intake.catalogue import Catalogue
from mdm.model.blind import BlindVerdict, Stratum
from mdm.model.ids import Domain, RecordId
from mdm.store.blind import judged

pytestmark = pytest.mark.sample_world


@pytest.fixture
def world(world_engine: Engine, catalogue: Catalogue) -> Pipeline:
    return Pipeline(world_engine, system_clock, catalogue, load_rules(catalogue))


def homes(pipeline: Pipeline) -> dict[RecordId, str]:
    with pipeline.engine.connect() as connection:
        return {RecordId(row[0]): row[1] for row in connection.execute(text("select rec_id, entity_id from crosswalk"))}


def judging(pipeline: Pipeline, sample: int, person: str) -> Iterator[tuple[int, RecordId, RecordId]]:
    """The pairs that somebody is shown, as long as they answer each."""
    while (found := blind.next_for(pipeline, sample, person)) is not None:
        yield found[:3]


def all_say_what_the_hub_did(pipeline: Pipeline, sample: int, *people: str) -> None:
    home = homes(pipeline)
    for person in people:
        for pair, a, b in judging(pipeline, sample, person):
            verdict = BlindVerdict.SAME if home[a] == home[b] else BlindVerdict.NOT_SAME
            blind.say(pipeline, sample, pair, verdict, person)


def test_a_sample_has_pairs_of_every_stratum_and_is_drawn_again_by_its_seed(world: Pipeline) -> None:
    first = blind.draw(world, Domain.CUSTOMER, 100, "ada", "seed")
    with world.engine.connect() as connection:
        pairs = [(each.stratum, a, b) for _, each, _, a, b in judged(connection, first.sample_id)]
    blind.close(world, first.sample_id, "ada")
    second = blind.draw(world, Domain.CUSTOMER, 100, "ada", "seed")
    with world.engine.connect() as connection:
        assert [(each.stratum, a, b) for _, each, _, a, b in judged(connection, second.sample_id)] == pairs

    told = blind.tell(world, second.sample_id)
    assert [stratum for stratum, each in told.strata.items() if not each["drawn"]] == [Stratum.BEYOND]
    assert len({(a, b) for _, a, b in pairs}) == len(pairs)
    home = homes(world)
    with world.engine.connect() as connection:
        rows = connection.execute(
            text("select stratum, a, b from blind_pair where sample_id = :id"), {"id": second.sample_id}
        ).all()
        linked = {
            (row[0], row[1]) for row in connection.execute(text("select a, b from link where superseded_at is null"))
        }
    for stratum, a, b in rows:
        assert (home[a] == home[b]) is (stratum == "joined")
        assert ((a, b) in linked and home[a] != home[b]) is (stratum == "asked")
    exact = sum(size * (size - 1) // 2 for size in _sizes(world))
    assert told.strata[Stratum.JOINED]["size"] == exact


def _sizes(pipeline: Pipeline) -> list[int]:
    with pipeline.engine.connect() as connection:
        return list(
            connection.scalars(
                text(
                    """select count(*) from crosswalk join source_record using (rec_id)
                       where domain = 'customer' and not deleted group by entity_id"""
                )
            )
        )


def test_two_people_judge_each_pair_in_an_order_of_their_own_and_a_third_where_they_differ(world: Pipeline) -> None:
    sample = blind.draw(world, Domain.CUSTOMER, 20, "ada").sample_id
    first = blind.next_for(world, sample, "ada")
    assert first is not None
    order: dict[str, list[int]] = {"ada": [], "ben": []}
    for person in order:
        for pair, _, _ in judging(world, sample, person):
            order[person].append(pair)
            odd = pair == first[0] and person == "ben"
            blind.say(world, sample, pair, BlindVerdict.NOT_SAME if odd else BlindVerdict.SAME, person)

    assert sorted(order["ada"]) == sorted(order["ben"])
    assert order["ada"] != order["ben"]
    assert blind.find(world, sample).complete == len(order["ada"]) - 1
    third = blind.next_for(world, sample, "clara")
    assert third is not None
    assert third[0] == first[0]
    blind.say(world, sample, first[0], BlindVerdict.SAME, "clara")
    assert blind.next_for(world, sample, "dora") is None
    told = blind.tell(world, sample)
    assert (told.report.waiting, told.report.undecided) == (0, 0)
    assert told.report.agreement.share == pytest.approx(1 - 1 / len(order["ada"]))
    assert set(told.report.by_pair_of_people) == {("ada", "ben")}


def test_people_who_see_it_as_the_hub_does_make_it_right_and_others_wrong(world: Pipeline) -> None:
    sample = blind.draw(world, Domain.CUSTOMER, 60, "ada").sample_id
    before = homes(world)
    all_say_what_the_hub_did(world, sample, "ada", "ben")

    whole = blind.tell(world, sample).report.whole
    assert whole.precision.value == whole.auto_recall.value == 1.0
    assert whole.precision.low is not None
    assert 0.8 < whole.precision.low < 1.0
    assert blind.tell(world, sample).wrong == []
    assert homes(world) == before, "answers change nothing"

    blind.close(world, sample, "ada")
    other = blind.draw(world, Domain.CUSTOMER, 60, "ada").sample_id
    for person in ("ada", "ben"):
        for pair, _, _ in judging(world, other, person):
            blind.say(world, other, pair, BlindVerdict.SAME, person)
    told = blind.tell(world, other)
    assert told.report.whole.precision.value == 1.0
    assert (told.report.whole.recall.value or 1.0) < 0.5
    assert {each.stratum for each in told.wrong} == set(Stratum) - {Stratum.JOINED, Stratum.BEYOND}


def test_what_cannot_be_is_refused(world: Pipeline) -> None:
    with pytest.raises(Invalid):
        blind.draw(world, Domain.CUSTOMER, 5, "ada")
    sample = blind.draw(world, Domain.CUSTOMER, 20, "ada").sample_id
    with pytest.raises(Conflict, match="is open"):
        blind.draw(world, Domain.CUSTOMER, 20, "ben")
    found = blind.next_for(world, sample, "ada")
    assert found is not None
    blind.say(world, sample, found[0], BlindVerdict.SAME, "ada")
    with pytest.raises(Conflict, match="have judged"):
        blind.say(world, sample, found[0], BlindVerdict.NOT_SAME, "ada")
    with pytest.raises(NotFound):
        blind.say(world, sample, 10**9, BlindVerdict.SAME, "ada")
    blind.close(world, sample, "ada")
    with pytest.raises(Conflict, match="closed"):
        blind.say(world, sample, found[0], BlindVerdict.SAME, "ben")
    assert blind.next_for(world, sample, "ben") is None
