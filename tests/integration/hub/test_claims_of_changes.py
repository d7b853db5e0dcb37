"""Which claims a unit of work holds for what it changes: one for whatever could connect its records with others.

A claim that is missing shows only where two units of work meet at the wrong moment; here it shows at once.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from mdm.clock import system_clock
from mdm.hub.process import Pipeline, replay_in
from mdm.hub.resolve import DomainChange, claim_changes, stored_keys
from mdm.model.delta import Link, LinkChange
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.store import identity, neighbourhood, pairs, reach
from mdm.store.claims import block_claim, entity_claim, name_claim, token_claim
from mdm.store.pairs import Touched
from mdm.store.unit_of_work import UnitOfWork, unit_of_work
from tests.integration.hub.rows import billed, message_of, take_in

#: A company, and another name for it.
_PUMPS = {"name": "Nordlicht Pumpen GmbH", "address_country": "DE", "address_line1": "Hafenstr. 9",
          "address_city": "Hamburg", "address_postal_code": "20457"}  # fmt: skip
_OTHER = CrosswalkKey("crm", "account", "one")
_TOKEN = "contract:CT2024000123"


@contextmanager
def shared(pipeline: Pipeline) -> Iterator[UnitOfWork]:
    """A unit of work that shares the hub."""
    with unit_of_work(pipeline.engine, system_clock, "test", alone=False) as work:
        yield work


def rec_of(work: UnitOfWork, name: CrosswalkKey) -> RecordId:
    rows = work.query("select rec_id from source_record where system = %s and type = %s and key = %s", *name)
    return RecordId(rows[0][0])


def home_of(pipeline: Pipeline, name: CrosswalkKey) -> EntityId:
    with shared(pipeline) as work:
        rec = rec_of(work, name)
        return reach.homes_of(work, [rec])[rec]


def blocks_of(work: UnitOfWork, rec: RecordId) -> set[int]:
    return {block for block, _ in pairs.keys_of(work, [rec])}


def claimed(work: UnitOfWork, change: DomainChange, touched: Touched, pipeline: Pipeline) -> dict[int, bool]:
    claim_changes(work, {Domain.CUSTOMER: change}, touched, pipeline.rules)
    return dict(work.held)


def stated_of(work: UnitOfWork, owner: CrosswalkKey, *tokens: str, by: RecordId) -> None:
    """Some record states these about the owner."""
    work.copy("record_evidence", ("rec_id", "system", "type", "key", "token"), [(by, *owner, each) for each in tokens])


@pytest.mark.parametrize(
    ("change", "touched", "expected"),
    [
        pytest.param(
            DomainChange(keys={RecordId(1): frozenset({17, 18})}),
            Touched(frozenset(), frozenset()),
            {block_claim(17): True, block_claim(18): True},
            id="blocks that a record has come into",
        ),
        pytest.param(
            DomainChange(),
            Touched(frozenset({_OTHER}), frozenset()),
            {name_claim(_OTHER): True},
            id="names under which it can be referred to",
        ),
        pytest.param(
            DomainChange(),
            Touched(frozenset(), frozenset({(_OTHER, _TOKEN)})),
            {name_claim(_OTHER): True, token_claim(_TOKEN): True},
            id="what it states about another",
        ),
        pytest.param(
            DomainChange(),
            Touched(frozenset(), frozenset(), frozenset({_OTHER})),
            {name_claim(_OTHER): False},
            id="what it refers to, shared with others that do",
        ),
    ],
)
def test_what_connects_a_changed_record_is_claimed(
    pipeline: Pipeline, change: DomainChange, touched: Touched, expected: dict[int, bool]
) -> None:
    with shared(pipeline) as work:
        assert claimed(work, change, touched, pipeline) == expected


@pytest.mark.parametrize("which", ["compared", "gone"])
def test_what_connected_a_changed_record_until_now_is_claimed(pipeline: Pipeline, which: str) -> None:
    take_in(pipeline, [{"id": "cus_a", **_PUMPS}])

    with shared(pipeline) as work:
        rec = rec_of(work, billed("cus_a"))
        stated_of(work, billed("cus_a"), _TOKEN, by=rec)
        blocks = blocks_of(work, rec)
        change = DomainChange(gone=frozenset({rec})) if which == "gone" else DomainChange(compared={rec: ...})  # type: ignore[dict-item]  # only the id is read
        held = claimed(work, change, Touched(frozenset(), frozenset()), pipeline)

    assert blocks
    assert held == dict.fromkeys({name_claim(billed("cus_a")), token_claim(_TOKEN), *map(block_claim, blocks)}, True)


def test_what_connects_a_record_that_something_new_is_stated_about_is_claimed(pipeline: Pipeline) -> None:
    take_in(pipeline, [{"id": "cus_a", **_PUMPS}])

    with shared(pipeline) as work:
        rec = rec_of(work, billed("cus_a"))
        stated_of(work, billed("cus_a"), _TOKEN, "email:a@b.de", by=rec)
        held = claimed(work, DomainChange(), Touched(frozenset(), frozenset({(billed("cus_a"), _TOKEN)})), pipeline)
        expected = {name_claim(billed("cus_a")), token_claim(_TOKEN), token_claim("email:a@b.de")}
        expected |= set(map(block_claim, blocks_of(work, rec)))

    assert held == dict.fromkeys(expected, True)


def test_the_members_of_a_block_that_grew_too_large_are_claimed_with_what_connects_them(pipeline: Pipeline) -> None:
    models = {domain: replace(model, block_cap=2) for domain, model in pipeline.rules.models.items()}
    narrow = replace(pipeline, rules=replace(pipeline.rules, models=models))
    alone = {"address_city": "Bremen", "email": "info@nordlicht-pumpen.de"}
    take_in(narrow, [{"id": "cus_a", **_PUMPS, **alone}, {"id": "cus_b", **_PUMPS}])

    with shared(narrow) as work:
        replay_in(narrow, work, [message_of(2, {"id": "cus_c", **_PUMPS})], "test")
        old, new = (blocks_of(work, rec_of(work, billed(key))) for key in ("cus_a", "cus_c"))

    assert old - new, "the earlier row has blocks that the new one has not"
    assert {name_claim(billed("cus_a")), name_claim(billed("cus_b"))} <= work.held.keys()
    assert set(map(block_claim, old - new)) <= work.held.keys()


def test_the_entity_of_a_row_that_goes_is_claimed_before_anything_is_read_about_it(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(pipeline, [{"id": "cus_a", **_PUMPS}])
    home = home_of(pipeline, billed("cus_a"))
    held: list[Collection[int]] = []
    follow = neighbourhood.claimed_reach

    def noted(work: UnitOfWork, *arguments: object) -> reach.Reached:
        held.append(frozenset(work.held))
        return follow(work, *arguments)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(neighbourhood, "claimed_reach", noted)
    with shared(pipeline) as work:
        replay_in(pipeline, work, [message_of(1, {"id": "cus_a", **_PUMPS}, gone=True)], "test")

    assert [entity_claim(home) in each for each in held] == [True]


def test_an_entity_that_a_row_brings_back_is_claimed(pipeline: Pipeline) -> None:
    take_in(pipeline, [{"id": "cus_a", **_PUMPS}])
    home = home_of(pipeline, billed("cus_a"))
    take_in(pipeline, [{"id": "cus_a", **_PUMPS}], first=1, gone=True)

    with shared(pipeline) as work:
        replay_in(pipeline, work, [message_of(2, {"id": "cus_a", **_PUMPS})], "test")

    assert work.held.get(entity_claim(home)) is True
    assert home_of(pipeline, billed("cus_a")) == home


def test_entities_that_a_question_is_about_are_claimed_together_with_others_that_ask(pipeline: Pipeline) -> None:
    take_in(pipeline, [{"id": "cus_a", **_PUMPS}, {"id": "cus_b", **_PUMPS, "name": "Wattgold Ventile AG"}])
    a, b = (home_of(pipeline, billed(key)) for key in ("cus_a", "cus_b"))
    assert a != b

    with shared(pipeline) as work:
        ends = [rec_of(work, billed(key)) for key in ("cus_a", "cus_b")]
        link = Link(*sorted(ends), "possible", 0.5, None)
        identity.write_links(work, Domain.CUSTOMER, "test", LinkChange(added=(link,)))
        neighbourhood.claimed_reach(work, ends[:1], {})

    assert (work.held[entity_claim(a)], work.held[entity_claim(b)]) == (True, False)


@pytest.mark.sample_world
def test_the_blocks_that_follow_from_what_a_contract_refers_to_are_claimed(pipeline: Pipeline) -> None:
    model = pipeline.rules.models[Domain.CONTRACT]
    with shared(pipeline) as work:
        contracts = [RecordId(row[0]) for row in work.query(
            "select rec_id from source_record where domain = 'contract' and not deleted order by rec_id limit 5"
        )]  # fmt: skip
        keys = stored_keys(work, Domain.CONTRACT, model, contracts)
        stored = {rec: blocks_of(work, rec) for rec in contracts}

    assert {rec: set(blocks) for rec, blocks in keys.items()} == stored
    assert work.held == {block_claim(block): True for blocks in stored.values() for block in blocks}
