"""Correcting weights for dependence finds what was put into the data, and keeps its promises about weights."""

import numpy as np
import pytest

from matching.model import profile_model
from matching.training.dependence import Sample, fit
from matching.training.estimate import prior_within
from tests.unit.matching.profiles import PEOPLE, TABLES

NOTHING = (np.zeros(3), np.zeros(2))


def labelled(weights: tuple[list[float], ...], prior: float, size: int) -> Sample:
    """Pairs whose matches are drawn by exactly these weights in bits."""
    random = np.random.default_rng(7)
    levels = np.stack([random.integers(0, len(each) + 1, size) for each in weights], axis=1).astype(np.int8)
    tables = [np.array([0.0, *each]) for each in weights]
    bits = prior + sum(table[levels[:, i]] for i, table in enumerate(tables))
    return Sample(levels, random.random(size) < 1 / (1 + 2.0**-bits))


def test_the_weights_behind_the_data_are_recovered() -> None:
    model = profile_model(PEOPLE, (), TABLES)
    truth = ([4.0, 1.0, -2.5], [3.0, -1.0])

    found = fit(model.comparisons, labelled(truth, -1.0, 60_000), NOTHING, shrinkage=0.01)

    assert found.prior == pytest.approx(-1.0, abs=0.15)
    for weights, true in zip(found.weights, truth, strict=True):
        np.testing.assert_allclose(weights, true, atol=0.2)


def test_the_prior_says_no_more_than_so_many_pairs_can() -> None:
    model = profile_model(PEOPLE, (), TABLES)
    few, many = (labelled(([4.0, 1.0, -2.5], [3.0, -1.0]), -7.0, size) for size in (300, 60_000))

    free, held = (fit(model.comparisons, few, NOTHING, 0.01, *each).prior for each in ((), (prior_within(300),)))
    assert free < prior_within(300)[0] <= held
    free, held = (fit(model.comparisons, many, NOTHING, 0.01, *each).prior for each in ((), (prior_within(60_000),)))
    assert held == pytest.approx(free, abs=0.001)


def test_no_level_weighs_less_than_a_worse_one_or_than_the_worst_allowed() -> None:
    model = profile_model(PEOPLE, (), TABLES)
    # "near" speaks against and "different" far more against than the profile allows.
    data = labelled(([1.0, -6.0, -5.0], [2.0, -1.0]), 0.0, 20_000)

    found = fit(model.comparisons, data, NOTHING, shrinkage=0.01)

    assert list(found.weights[0]) == sorted(found.weights[0], reverse=True)
    assert found.weights[0][-1] >= -3.0


def test_a_level_that_was_never_seen_keeps_the_weight_that_it_had() -> None:
    model = profile_model(PEOPLE, (), TABLES)
    data = labelled(([4.0, 1.0, -2.0], [3.0, -1.0]), -1.0, 20_000)
    unseen = data.levels[:, 0] != 2
    before = (np.array([3.0, 1.5, -1.0]), np.array([2.0, -1.0]))

    found = fit(model.comparisons, Sample(data.levels[unseen], data.matches[unseen]), before, shrinkage=0.05)

    assert found.weights[0][1] == pytest.approx(1.5, abs=0.1)
