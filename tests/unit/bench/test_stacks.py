"""The stages that the bench tells: every label is of a function that there is, and time falls to who takes it."""

import inspect
import time
from importlib import import_module

import pytest

from bench import stacks
from bench.stacks import Looks, looking


@pytest.mark.parametrize(("module", "function"), [*stacks.RESOLVE, stacks._WAITING])
def test_a_label_is_of_a_function_that_there_is(module: str, function: str) -> None:
    assert f"def {function}(" in inspect.getsource(import_module(module))


def inner() -> None:
    until = time.perf_counter() + 0.2
    while time.perf_counter() < until:
        pass


def outer() -> None:
    inner()


def test_time_falls_to_the_stage_and_to_its_part() -> None:
    labels = {(__name__, "outer"): "whole", (__name__, "inner"): "part"}

    with looking(labels) as looks:
        outer()

    assert looks.seen.most_common(1)[0][0] == "whole / part"
    assert looks.waiting.total() == 0


def test_shares_tell_everything_once() -> None:
    looks = Looks()
    looks.seen.update({"a": 990, "b": 6, "c": 4})
    looks.waiting.update({"a": 500, "c": 4})

    assert looks.shares() == {
        "a": "99.0 % (50.0 waiting for the database)",
        "b": "0.6 % (0.0 waiting for the database)",
        "less than that, each": "0.4 % (0.4 waiting for the database)",
        "all": "100.0 % (50.4 waiting for the database)",
    }
