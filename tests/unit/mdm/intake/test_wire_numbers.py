"""Floating-point numbers of Avro, told as the JSON converter tells them."""

import struct
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mdm.intake.wire_numbers import teller

_TELL = teller({"type": "struct", "fields": [{"field": "x", "type": "float"}, {"field": "y", "type": "double"}]})
assert _TELL is not None


def told(x: float | None, y: float | None) -> tuple[object, object]:
    assert _TELL is not None
    result = _TELL({"x": x, "y": y})
    return result["x"], result["y"]


def significant(number: float) -> int:
    return len(Decimal(repr(number)).normalize().as_tuple().digits)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
@example(999_999_986_991_104.0)  # told as 1e15: more places, fewer digits
def test_a_short_number_is_told_with_its_own_digits(number: float) -> None:
    short, _ = told(number, None)

    assert isinstance(short, float)
    assert struct.pack("f", short) == struct.pack("f", number)
    assert significant(short) <= significant(number)


@pytest.mark.parametrize(
    ("number", "text"), [(float("nan"), "NaN"), (float("inf"), "Infinity"), (float("-inf"), "-Infinity")]
)
def test_numbers_that_json_does_not_have_are_texts(number: float, text: str) -> None:
    assert told(number, number) == (text, text)


def test_values_without_floats_need_nothing() -> None:
    assert teller({"type": "struct", "fields": [{"field": "n", "type": "int32"}]}) is None
