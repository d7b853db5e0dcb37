"""The scorer says what Splink says: all shipped models, and one with frequencies; empty and foreign values included."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from matching.batch import candidate_pairs
from matching.features import derive
from matching.model import MatchModel, load_model, profile_model
from matching.scoring import score_features, score_pairs
from matching.training.estimate import cold_start
from matching.training.parity import TOLERANCE, check_parity
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


STORES = Path(__file__).parents[2] / "unit" / "matching" / "stores"
#: Letters of other scripts, of one to three bytes more.
FOREIGN = str.maketrans({"a": "ä", "e": "é", "n": "н", "o": "山", "1": "１", "7": "𝟕"})


def stored(domain: str) -> list[dict[str, Any]]:
    """All records of a store as they are read back from the hub, each tenth in other letters too, and an empty one."""
    lines = gzip.decompress((STORES / f"{domain}.jsonl.gz").read_bytes()).splitlines()
    found = [orjson.loads(line)["comparison"] for line in lines]
    changed = [foreign(record) for record in found[::10]]
    encoded = [orjson.dumps(record, option=orjson.OPT_SORT_KEYS).decode() for record in (*found, *changed, {})]
    return [orjson.loads(text) for text in encoded]


def foreign(value: Any) -> Any:
    """The same with other letters; what names a thing of the hub (`crm:account:1`) stays."""
    if isinstance(value, dict):
        return {key: foreign(each) for key, each in value.items()}
    if isinstance(value, list):
        return [foreign(each) for each in value]
    return value.translate(FOREIGN) if isinstance(value, str) and ":" not in value else value


@pytest.mark.parametrize("domain", sorted(RECORDS))
def test_shipped_models_score_stored_records_as_in_splink(domain: str) -> None:
    """Pairs that the hub would compare, pairs that it would not, and each with values that are missing or foreign."""
    model, drawn = load_model(domain), stored(domain)
    records = [derive(model.domain, record, model.common_tokens) for record in drawn]
    near, far = candidate_pairs(model, drawn), np.arange(len(drawn) - 7)
    left = np.concatenate([near[0], far, far])
    right = np.concatenate([near[1], far + 7, np.full(len(far), len(drawn) - 1)])

    found = check_parity(model, records, left, right)

    assert found.pairs == len(left) > 3 * len(drawn)
    assert max(found.weight, found.contribution) <= TOLERANCE
    assert not all(str(record).isascii() for record in records)
    ours = score_features(model, records, left, right)
    assert len(np.unique(ours.weight)) > 50, "the pairs are of many kinds"
    few = slice(0, None, len(left) // 200)
    streamed = score_pairs(model, [drawn[a] for a in left[few]], [drawn[b] for b in right[few]])
    assert streamed.weight == pytest.approx(ours.weight[few], abs=TOLERANCE, rel=0)


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
