"""Damaged messages never raise and always have one outcome: a few seconds of what `make fuzz` does for minutes."""

from hypothesis import HealthCheck, given, settings

from mdm.model.events import Message
from tests.fuzz.envelopes import check, damaged


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(damaged())
def test_a_damaged_message_has_one_outcome(case: tuple[str, Message]) -> None:
    check(*case)
