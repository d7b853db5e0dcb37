"""Training on a hub that is too large to train on: a part of it that says the same."""

import pytest
from sqlalchemy import Engine

from mdm.errors import OperatorError
from mdm.hub.process import Pipeline
from mdm.hub.training import from_hub, train_model
from mdm.model.ids import Domain
from mdm.store.pairs import blocked_pairs
from mdm.store.reading import snapshot
from mdm.store.sampling import sample_with_candidates
from mdm.store.whole import live_records

pytestmark = pytest.mark.sample_world
CAP = 100


def test_a_sample_holds_everybody_whom_its_seeds_are_compared_with(engine: Engine) -> None:
    with snapshot(engine) as work:
        sample = sample_with_candidates(work, Domain.CUSTOMER, CAP, 300)
        again = sample_with_candidates(work, Domain.CUSTOMER, CAP, 300)
        live = live_records(work, Domain.CUSTOMER)
        assert sample is not None
        pairs = blocked_pairs(work, sample.seeds, CAP)
    mates = {rec for pair in pairs for rec in pair}

    assert sample == again
    assert set(sample.records) == mates | sample.seeds
    assert 300 <= len(sample.records) < len(live) == sample.of
    assert 20 < len(sample.seeds) < 300
    assert len(sample.plain) == 300


def test_a_hub_that_is_not_large_is_taken_whole(engine: Engine, pipeline: Pipeline) -> None:
    with snapshot(engine) as work:
        assert sample_with_candidates(work, Domain.CUSTOMER, CAP, 1_000_000) is None
        live = live_records(work, Domain.CUSTOMER)

    material = from_hub("customer", engine, pipeline.rules)

    assert (len(material.stores[0].comparisons), material.stores[0].seeds, material.remarks) == (len(live), None, ())


def test_a_model_of_a_sample_says_what_it_was_drawn_from(engine: Engine, pipeline: Pipeline) -> None:
    material = from_hub("customer", engine, pipeline.rules, most=500)
    (store,), (said,) = material.stores, material.remarks
    assert store.seeds is not None

    released = train_model(material)

    provenance = released.model().provenance
    assert (provenance["sampled_of"], provenance["seeds"]) == (store.of, len(store.seeds))
    assert provenance["records"] == len(store.comparisons) < store.of
    assert f"{len(store.seeds):,} that were drawn" in said
    assert released.parity.pairs == provenance["candidate_pairs"], "only pairs with a seed"


def test_too_few_records_are_refused(engine: Engine, pipeline: Pipeline) -> None:
    with pytest.raises(OperatorError, match="too few"):
        from_hub("customer", engine, pipeline.rules, most=10)
