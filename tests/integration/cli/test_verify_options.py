"""Options of verify that would say nothing are refused, before anything is read."""

import pytest

from mdm.errors import OperatorError
from tests.integration.cli.conftest import Command


@pytest.mark.parametrize("option", [("--duplicate", 0.0), ("--restarts", 0), ("--seed", 0), ("--keep",)])
def test_how_to_replay_is_said_only_with_a_replay(mdm: Command, option: tuple[object, ...]) -> None:
    with pytest.raises(OperatorError, match=str(option[0])) as refused:
        mdm("verify", *option)
    assert "--shuffle" in refused.value.advice
