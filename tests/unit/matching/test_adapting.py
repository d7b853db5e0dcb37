"""Training without labels from the weights before: as right as these about families, and closer where they are off."""

import json
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from matching.assessment import assess
from matching.model import MatchModel, load_model
from matching.training.adapting import believed, shrinkage, words_kept
from matching.training.stores import Store
from matching.training.train import Options, Released, train
from tests.unit.matching.families import families
from tests.unit.matching.profiles import PEOPLE, people

RECORDS, PRODUCTS = families(15)
SHIPPED = load_model("product")
PROFILE = (files("matching") / "models" / "product.yaml").read_text("utf-8")


def reweighed(model: MatchModel, comparison: str, bits: dict[str, float]) -> MatchModel:
    """The model with other weights of some levels."""
    comparisons = tuple(
        replace(each, levels=tuple(replace(at, weight=bits.get(at.label, at.weight)) for at in each.levels))
        if each.name == comparison
        else each
        for each in model.comparisons
    )
    return replace(model, comparisons=comparisons)


def weights(model: MatchModel, comparison: str) -> dict[str, float]:
    (found,) = (each for each in model.comparisons if each.name == comparison)
    return {level.label: level.weight for level in found.levels}


def f1(model: MatchModel) -> float:
    return assess(model, RECORDS, PRODUCTS, (), 0).operating.pairs.quality.f1


def trained(start: MatchModel, *, afresh: bool = False) -> Released:
    return train(PROFILE, [Store(RECORDS)], Options(start=start, afresh=afresh))


@pytest.fixture(scope="module")
def adapted() -> Released:
    return trained(SHIPPED)


def test_editions_of_one_name_stay_apart_though_they_are_what_differs_most(adapted: Released) -> None:
    afresh = trained(SHIPPED, afresh=True)

    assert f1(SHIPPED) > 0.99
    assert f1(adapted.model()) > 0.99
    assert f1(afresh.model()) < 0.5, "without weights before, a family is what training finds"
    assert adapted.disagreement is not None
    assert afresh.disagreement is not None
    assert (adapted.disagreement.large, afresh.disagreement.large) == (False, True)


def test_a_weight_that_the_entities_contradict_moves_towards_what_they_say() -> None:
    """Names are taken to say too little for rows without a code; those with one bring most of them together."""
    wrong = reweighed(SHIPPED, "name", {"same words": 5.0, "same but for spelling": 4.8, "one contains the other": 4.6})

    name = weights(trained(wrong).model(), "name")

    assert 5.04 < name["same words"] <= weights(SHIPPED, "name")["same words"]


def test_what_no_pair_states_weighs_what_it_did(adapted: Released) -> None:
    model = adapted.model()

    for comparison in ("gtin", "brand", "pack"):
        assert weights(model, comparison) == pytest.approx(weights(SHIPPED, comparison), abs=0.011)
    assert "unmet" not in model.provenance


def test_a_model_says_which_weights_it_started_from(adapted: Released) -> None:
    provenance = adapted.model().provenance

    assert provenance["started_from"] == SHIPPED.fingerprint
    assert provenance["method"].startswith("from the weights before")
    assert provenance["parity"]["weight"] <= 1e-9


def test_the_same_records_and_weights_give_the_same_documents(adapted: Released) -> None:
    assert trained(SHIPPED) == adapted


def test_rarity_counts_when_weights_are_adapted() -> None:
    """A profile whose weights depend on how rare a value is; its tables are counted anew."""
    records, _ = people(60)
    first = train(PEOPLE, [Store(records)], Options())
    more, _ = people(80)

    found = train(PEOPLE, [Store(more)], Options(start=first.model()))

    assert found.parity.weight <= 1e-9
    assert json.loads(found.frequencies or "")["name"]["total"] > json.loads(first.frequencies or "")["name"]["total"]
    assert found.model().provenance["started_from"] == first.model().fingerprint


@pytest.mark.parametrize(
    ("weights", "same", "expected"),
    [
        # Promised .9 + .5 + .2: beside the one that is joined .6 are left of .7.
        ([0.9, 0.5, 0.2], [True, False, False], [1.0, 0.5 * 6 / 7, 0.2 * 6 / 7]),
        ([0.5, 0.5, 0.5], [True, True, False], [1.0, 1.0, 0.0]),
        ([0.9, 0.4], [False, False], [0.9, 0.4]),
        ([0.9, 0.4], [True, True], [1.0, 1.0]),
    ],
    ids=["as many as before", "more joined than promised", "none joined", "none apart"],
)
def test_who_is_in_one_entity_is_learned_and_not_how_many(
    weights: list[float], same: list[bool], expected: list[float]
) -> None:
    chances = np.array(weights)

    sure = believed(np.log2(chances / (1 - chances)), np.array(same))

    np.testing.assert_allclose(sure, expected)


def test_a_larger_store_does_not_outweigh_the_weights_that_labelled_it() -> None:
    assert shrinkage(40_000) == 4 * shrinkage(10_000) > shrinkage(300) == shrinkage(3) > 0


def test_words_are_common_that_were_before_or_that_many_carry() -> None:
    before = replace(load_model("customer"), common_tokens=frozenset({"group"}))
    names = [f"{chr(97 + n)}{chr(98 + n)} stadtwerke" for n in range(12)] + [f"x{n} nord" for n in range(4)]

    assert words_kept(before, [Store([{"name": name} for name in names])], 0.004) == ["group", "stadtwerke"]
