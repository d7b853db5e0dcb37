"""A model's program: written once, let go of with the model, and the same whoever asks; and what it cannot compare."""

import copy
import gc
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from matching import program
from matching.engines.table import TableFrame, feature_table
from matching.features import derive_once
from matching.frame import Frame
from matching.model import load_model
from matching.program import program_of
from matching.scoring import Scores, score_columns, score_few

PAIR = np.array([0]), np.array([1])


@pytest.fixture
def threads_that_switch_often() -> Any:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("threads_that_switch_often")
def test_threads_that_ask_at_once_are_given_one_program() -> None:
    """Rows that were made for one program count as none for another, and a table may have let go of its columns."""
    for _ in range(5):
        model = replace(load_model("product"))
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _, model=model: program_of(model), range(8)))

        assert all(each is found[0] for each in found)


def test_a_program_goes_with_its_model() -> None:
    model = replace(load_model("product"))
    before = len(program._PROGRAMS)
    program_of(model)
    assert len(program._PROGRAMS) == before + 1

    del model
    gc.collect()

    assert len(program._PROGRAMS) == before


@pytest.mark.parametrize("copied", [replace, copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copy_of_a_model_scores_as_the_model_does(copied: Any) -> None:
    model = load_model("customer")
    forms = [{"name": "acme tools", "name_tokens": ["acme", "tools"], "phones": ["1"], "self": [f"a:b:{n}"]}
             for n in (1, 2)]  # fmt: skip
    frame = Frame([derive_once("customer", each, model.common_tokens) for each in forms])

    assert_equal(score_columns(copied(model), frame, *PAIR), score_columns(model, frame, *PAIR))


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -float("inf"), 10**400], ids=["none", "endless", "below all", "too large"]
)
def test_a_number_that_cannot_be_compared_says_nothing(value: float) -> None:
    model = load_model("contract")
    forms = [{"self": [f"a:b:{number}"], "value": value, "start": 19_000} for number in (1, 2)]
    records = [derive_once("contract", each, frozenset()) for each in forms]

    alone = score_few(model, records, *PAIR)

    assert "value" not in records[0]
    assert_equal(score_columns(model, Frame(records), *PAIR), alone)
    assert_equal(score_columns(model, TableFrame(model, feature_table(model, forms)), *PAIR), alone)


def assert_equal(found: Scores, expected: Scores) -> None:
    for name in ("weight", "levels", "vetoes", "parting"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
