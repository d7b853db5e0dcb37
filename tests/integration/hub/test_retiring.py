"""A source is taken out of service: golden records go on without it, and nothing that it said is lost."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mdm.errors import Conflict, NotFound, OperatorError
from mdm.hub import retiring
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline, process
from mdm.hub.rebuild import rebuild
from mdm.hub.retiring import restore, retire, try_to_restore, try_to_retire
from mdm.hub.silence import look_for_silence
from mdm.hub.time_travel import Instant, golden_then
from mdm.hub.verify import verify
from mdm.model.ids import Domain
from mdm.observability.metrics import Sample, Tally
from mdm.store.read_metrics import hub_state
from mdm.store.retirements import all_retirements, known_sources
from mdm.workers.convergence import Plan, prove
from tests.integration.hub.rows import message_of, take_in


def golden(engine: Engine) -> dict[str, tuple[Any, Any]]:
    """Every current golden record by id: its values, and of each the record and the rule that won."""
    with engine.connect() as connection:
        rows = connection.execute(text('select entity_id, "values", lineage from golden where known_to is null'))
        return {
            row[0]: (row[1], {name: (each["record"], each["rule"]) for name, each in row[2].items()}) for row in rows
        }


def counts(engine: Engine) -> tuple[int, ...]:
    """What nobody may lose: versions of rows, issued ids, judgements, overrides, golden versions."""
    names = ("record_history", "entity", "judgement", "golden_override")
    with engine.connect() as connection:
        return tuple(connection.scalars(text(f"select count(*) from {name}")).one() for name in names)


def rows_of(engine: Engine, system: str) -> int:
    with engine.connect() as connection:
        return {each.system: each.rows for each in known_sources(connection)}[system]


@pytest.mark.sample_world
def test_golden_records_go_on_without_it_and_are_as_they_were_when_it_is_back(
    engine: Engine, pipeline: Pipeline
) -> None:
    before, kept, digest, rows = golden(engine), counts(engine), state_digest(engine), rows_of(engine, "billing")
    would = try_to_retire(pipeline, "billing")
    assert golden(engine) == before, "a dry run changes nothing"

    moved = retire(pipeline, "billing", "ops", "replaced by another platform")

    assert moved.rows == would.rows == rows
    assert dict(moved.domains) == dict(would.domains)
    assert moved.domains[Domain.CUSTOMER].changed > 0
    assert rows_of(engine, "billing") == 0
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees
    after = golden(engine)
    assert set(after) != set(before)
    assert not any("billing" in str(record) for _, won in after.values() for record, _ in won.values())
    with engine.connect() as connection:
        left = connection.scalars(
            text("select count(*) from crosswalk x join source_record r using (rec_id) where r.system = 'billing'")
        ).one()
        ended = connection.scalars(text("select count(*) from golden where known_to is not null")).one()
    assert left == 0
    assert ended > 0, "former versions stay, with their lineage"
    assert [now >= was for now, was in zip(counts(engine), kept, strict=True)] == [True] * len(kept)

    restore(pipeline, "billing", "ops", "we still need it")

    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees
    assert state_digest(engine) == digest
    assert golden(engine) == before, "ids, values and what they rest on are those of before"
    with engine.connect() as connection:
        (story,) = all_retirements(connection)
        actions = connection.scalars(text("select action from audit where action like 'source.%' order by seq")).all()
    assert (story.state, story.reason, story.restored_reason) == (
        "restored",
        "replaced by another platform",
        "we still need it",
    )
    assert actions == ["source.retire", "source.restore"]


@pytest.mark.sample_world
def test_proofs_and_rebuilds_know_that_it_is_out(engine: Engine, pipeline: Pipeline) -> None:
    retire(pipeline, "product", "ops", "switched off")
    digest = state_digest(engine)

    assert not rebuild(pipeline, "ops").differences
    assert prove(pipeline, Plan(duplicate=0.2, restarts=1, seed=3)).agrees
    assert state_digest(engine) == digest


def test_what_it_says_meanwhile_is_kept_and_counts_when_it_is_back(engine: Engine, pipeline: Pipeline) -> None:
    take_in(pipeline, [{"id": "cus_1", "name": "Nordwind Werke GmbH"}])
    retire(pipeline, "billing", "ops", "migrated")

    process(pipeline, "test", [message_of(5, {"id": "cus_1", "name": "Nordwind Werke AG"})])
    process(pipeline, "test", [message_of(6, {"id": "cus_2", "name": "Ostsee Handel GmbH"})])

    assert rows_of(engine, "billing") == 0
    assert golden(engine) == {}
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees
    assert try_to_restore(pipeline, "billing").rows == 2
    moved = restore(pipeline, "billing", "ops", "not yet")
    assert moved.rows == 2
    assert {values["name"] for values, _ in golden(engine).values()} == {"Nordwind Werke AG", "Ostsee Handel GmbH"}
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees


def test_it_goes_on_where_it_was_interrupted(
    engine: Engine, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("Aster", "Birke", "Cedrus", "Dahlie", "Erle")
    take_in(pipeline, [{"id": f"cus_{name}", "name": f"{name} Handel GmbH"} for name in names])
    monkeypatch.setattr(retiring, "_BATCH", 2)

    def interrupt(_step: str, _share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retire(pipeline, "billing", "ops", "migrated", interrupt)
    assert 0 < rows_of(engine, "billing") < 5
    with pytest.raises(KeyboardInterrupt):
        restore(pipeline, "billing", "ops", "no", interrupt)
    with pytest.raises(Conflict, match="being taken back"):
        retire(pipeline, "billing", "ops", "again")
    restore(pipeline, "billing", "ops", "no")
    assert rows_of(engine, "billing") == 5
    retire(pipeline, "billing", "ops", "migrated")
    assert rows_of(engine, "billing") == 0
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees


def test_the_hub_still_knows_what_it_knew(engine: Engine, pipeline: Pipeline) -> None:
    take_in(pipeline, [{"id": "cus_1", "name": "Nordwind Werke GmbH"}])
    (entity,) = golden(engine)
    before = pipeline.clock()
    retire(pipeline, "billing", "ops", "migrated")

    def then(moment: Any) -> Any:
        instant = Instant(known_at=moment, valid_at=None, rules=None)
        return golden_then(engine, pipeline.catalogue, pipeline.rules, Domain.CUSTOMER, entity, instant)

    assert then(before).values["name"] == "Nordwind Werke GmbH"
    assert then(pipeline.clock()) is None


def test_metrics_tell_that_it_is_out_until_it_is_back(engine: Engine, pipeline: Pipeline) -> None:
    take_in(pipeline, [{"id": "cus_1", "name": "Nordwind Werke GmbH"}])

    def told() -> list[Sample | Tally]:
        with engine.connect() as connection:
            return list(hub_state(connection)["mdm_source_retired"])

    assert told() == []
    retire(pipeline, "billing", "ops", "migrated")
    assert told() == [Sample(("billing", "retired"), 1.0)]
    restore(pipeline, "billing", "ops", "too early")
    assert told() == []


def test_nobody_waits_to_hear_from_it(engine: Engine, pipeline: Pipeline) -> None:
    take_in(pipeline, [{"id": "cus_1", "name": "Nordwind Werke GmbH"}])
    later = replace(pipeline, clock=lambda: pipeline.clock() + timedelta(hours=5))
    assert look_for_silence(later, timedelta(hours=1)) == ["billing"]

    retire(pipeline, "billing", "ops", "migrated")

    assert look_for_silence(later, timedelta(hours=1)) == []
    with engine.connect() as connection:
        assert connection.scalars(text("select status from exception where code = 'SOURCE_SILENT'")).all() == [
            "resolved"
        ]


def test_what_makes_no_sense_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(NotFound):
        retire(pipeline, "nothing", "ops", "why not")
    with pytest.raises(OperatorError, match="reason"):
        retire(pipeline, "billing", "ops", " ")
    with pytest.raises(NotFound, match="not out of service"):
        restore(pipeline, "billing", "ops", "back")
    retire(pipeline, "billing", "ops", "never used")
    with pytest.raises(Conflict, match="already"):
        retire(pipeline, "billing", "ops", "again")
