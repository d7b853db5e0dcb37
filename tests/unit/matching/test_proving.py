"""A release is scored with Splink anew: what is proven, what is refused, and what the proof is about."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from matching.model import MatchModel, load_model
from matching.proof import TOLERANCE, check_holds, read_proof, scorer_now
from matching.training.proving import MOST_OWN, prove
from matching.training.reaching import reaching
from matching.training.stores import Store
from matching.training.train import Options, train
from mdm.errors import ParityUnproven
from tests.unit.matching.profiles import PEOPLE, people

PRODUCT = load_model("product")


def off_by(model: MatchModel, bits: float, comparison: int = 0, level: int = 0) -> MatchModel:
    """The model as a scorer would have it that gives one level other bits than its m and u say."""
    wrong = model.comparisons[comparison]
    levels = list(wrong.levels)
    levels[level] = replace(levels[level], weight=levels[level].weight + bits)
    comparisons = list(model.comparisons)
    comparisons[comparison] = replace(wrong, levels=tuple(levels))
    return replace(model, comparisons=tuple(comparisons))


LEVELS = [(c, n) for c, each in enumerate(PRODUCT.comparisons) for n in range(len(each.levels))]


@pytest.mark.parametrize(("comparison", "level"), LEVELS[:: len(LEVELS) // 5])
def test_a_scorer_that_is_wrong_in_one_level_is_seen(comparison: int, level: int) -> None:
    proof = prove(off_by(PRODUCT, 3e-9, comparison, level))

    assert not proof.holds
    assert proof.contribution == pytest.approx(3e-9, rel=1e-3)
    assert proof.most == PRODUCT.comparisons[comparison].name
    assert f"most of all in the comparison {proof.most!r}" in proof.words
    with pytest.raises(ParityUnproven, match="not scored as Splink scores it") as refused:
        check_holds(proof)
    assert refused.value.code == "PARITY_UNPROVEN"
    assert "Keep the model in force" in refused.value.advice


def test_a_difference_of_rounding_is_none() -> None:
    proof = prove(off_by(PRODUCT, TOLERANCE / 10))

    assert proof.holds
    assert proof.contribution > 0


def test_a_proof_is_about_its_documents_and_the_code_that_scored() -> None:
    proof = prove(PRODUCT)

    assert proof.about(PRODUCT.fingerprint)
    assert not proof.about("another")
    assert not replace(proof, scorer="another").about(PRODUCT.fingerprint)
    assert proof.scorer == scorer_now()
    assert read_proof(json.loads(json.dumps(proof.document()))) == proof


@pytest.mark.parametrize("name", ["weight", "contribution"])
def test_what_is_no_number_is_no_agreement(name: str) -> None:
    proof = replace(prove(PRODUCT), **{name: math.inf})

    kept = read_proof(json.loads(json.dumps(proof.document())))

    assert kept == proof
    assert not proof.holds
    assert proof.document()[name] is None


def test_nothing_is_read_from_a_run_that_proved_nothing() -> None:
    assert read_proof(None) is None
    assert read_proof({"pairs": 3}) is None


def test_a_proof_over_no_pairs_is_none() -> None:
    assert not replace(prove(PRODUCT), pairs=0).holds


def test_candidates_of_the_hub_are_scored_too_and_bounded() -> None:
    one, other = {"name": "drill", "name_tokens": ["drill"], "codes": ["ab1"]}, {"name": "saw", "codes": ["ab1"]}
    without = prove(PRODUCT)

    found = prove(PRODUCT, [one, other])

    assert (without.own, found.own, found.pairs) == (0, 1, without.pairs + 1)
    many = np.stack(np.triu_indices(120, 1)).astype(np.intp)
    assert many.shape[1] > MOST_OWN
    assert prove(PRODUCT, [one, other] * 60, many).own == MOST_OWN


def test_every_level_is_reached_by_the_same_pairs_whenever_asked() -> None:
    first, again = reaching(PRODUCT, []), reaching(PRODUCT, [])

    assert first.unreached == again.unreached == ()
    assert list(first.pairs.records) == list(again.pairs.records)
    for record in first.pairs.records:
        lists = [value for value in record.values() if isinstance(value, tuple)]
        assert all(value == tuple(sorted(set(value))) for value in lists), "as columns are"
        assert not any(value in ("", ()) for value in record.values())


def test_a_level_that_nothing_can_reach_is_named() -> None:
    known = "when: {overlap: phones}}"
    never = "{label: never, expected: 1, when: {overlap: {column: phones, at_least: 2}}}"
    assert known in PEOPLE
    profile = PEOPLE.replace(known, f"{known}\n      - {never}")

    proof = prove(train(profile, [Store(people(30)[0])], Options()).model())

    assert proof.unreached == ("phone: never",)
    assert proof.holds
    assert "not reached: phone: never" in proof.words


def test_comparisons_that_splink_cannot_tell_apart_are_not_proven() -> None:
    """Two whose names are one column to Splink; training of today would not have written them."""
    first, second, *others = PRODUCT.comparisons
    alike = replace(PRODUCT, comparisons=(replace(first, name="a b"), replace(second, name="a_b"), *others))

    assert not prove(alike).holds


def test_what_splink_cannot_score_is_not_proven() -> None:
    first, *others = PRODUCT.comparisons
    unspeakable = replace(PRODUCT, comparisons=(replace(first, name='a"b'), *others))

    with pytest.raises(ParityUnproven, match="Splink cannot score by this model"):
        prove(unspeakable)
