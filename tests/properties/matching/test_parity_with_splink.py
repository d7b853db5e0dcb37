"""The scorer says what Splink says: all shipped models, and one with frequencies; empty and foreign values included."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from matching.features import derive
from matching.model import MatchModel, load_model, profile_model
from matching.scoring import score_features, score_pairs
from matching.training.estimate import cold_start
from matching.training.examples import examples
from matching.training.parity import TOLERANCE, check_parity
from matching.training.proving import prove, shipped_pairs
from matching.training.stores import Store
from matching.training.train import Options, train
from tests.properties.matching.worlds import RECORDS
from tests.unit.matching.profiles import PEOPLE, TABLES, people

PEOPLE_MODEL = train(PEOPLE, [Store(people(30)[0])], Options()).model()

NAMES = st.sampled_from(["ann abel", "ann abell", "jörg groß", "jorg gross", "王伟", "Ω", "", "ann", "a b c d e f"])


@st.composite
def persons(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.none() | NAMES)
    phones = draw(st.lists(st.sampled_from(["1", "2", "３"]), max_size=2))
    return {"name": name, "words": (name or "").split(), "phones": phones, "city": "x"}


def holds(model: MatchModel, drawn: list[dict[str, Any]]) -> None:
    records = [derive(model.domain, record, model.common_tokens) for record in drawn]
    left, right = np.triu_indices(len(records), 1)

    found = check_parity(model, records, left, right)

    assert found.pairs == len(left)
    assert max(found.weight, found.contribution) <= TOLERANCE


@pytest.mark.parametrize("domain", sorted(RECORDS))
@settings(max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_shipped_models_score_as_in_splink(domain: str, data: st.DataObject) -> None:
    holds(load_model(domain), data.draw(st.lists(RECORDS[domain], min_size=25, max_size=25)))


@pytest.mark.parametrize("domain", sorted(RECORDS))
def test_shipped_models_are_proven_at_every_level(domain: str) -> None:
    """What a release asks of a model: pairs that the hub would compare, pairs that it would not, pairs made for each
    level, and values that are missing or foreign; scored together and one by one."""
    model = load_model(domain)

    proof = prove(model)

    assert proof.holds, proof.words
    assert proof.unreached == ()
    assert proof.levels == proof.of_levels == sum(1 + len(each.levels) for each in model.comparisons)
    assert proof.pairs > 1_500
    assert min(proof.non_ascii, proof.unknown) > 100
    assert proof.about(model.fingerprint)


@pytest.mark.parametrize("domain", sorted(RECORDS))
def test_shipped_models_score_stored_records_one_by_one_as_in_a_batch(domain: str) -> None:
    model, drawn = load_model(domain), examples(domain)
    pairs = shipped_pairs(model)

    ours = score_features(model, pairs.records, pairs.left, pairs.right)

    assert len(np.unique(ours.weight)) > 50, "the pairs are of many kinds"
    few = slice(0, None, len(pairs) // 200)
    streamed = score_pairs(model, [drawn[a] for a in pairs.left[few]], [drawn[b] for b in pairs.right[few]])
    assert streamed.weight == pytest.approx(ours.weight[few], abs=TOLERANCE, rel=0)


def test_a_model_with_frequencies_is_proven_where_they_count() -> None:
    proof = prove(PEOPLE_MODEL)

    assert proof.holds, proof.words
    assert proof.unreached == ()
    assert min(proof.adjusted, proof.non_ascii, proof.unknown) > 5


@settings(max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(drawn=st.lists(persons(), min_size=25, max_size=25))
def test_frequencies_count_as_in_splink(drawn: list[dict[str, Any]]) -> None:
    holds(PEOPLE_MODEL, drawn)


def test_an_expert_alone_makes_a_model() -> None:
    weights = {
        level.label: level.weight
        for comparison in cold_start(profile_model(PEOPLE, (), TABLES)).comparisons
        for level in comparison.levels
    }

    assert weights["same"] == 4
    assert weights["other phone"] == -2
