"""A database that is away is something to wait for, whichever way it is met."""

import pytest

from mdm.bootstrap import make_engine
from mdm.clock import system_clock
from mdm.errors import TransientError
from mdm.store.feeds import is_paused
from mdm.store.outbox import open_outbox
from mdm.store.positions import stored_positions
from mdm.store.unit_of_work import unit_of_work

AWAY = make_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")


def test_a_unit_of_work_says_so() -> None:
    with pytest.raises(TransientError), unit_of_work(AWAY, system_clock, "test"):
        pass


def test_positions_and_controls_say_so() -> None:
    with pytest.raises(TransientError):
        stored_positions(AWAY, "feed")
    with pytest.raises(TransientError):
        is_paused(AWAY, "feed")


def test_the_outbox_says_so() -> None:
    with pytest.raises(TransientError), open_outbox(AWAY):
        pass
