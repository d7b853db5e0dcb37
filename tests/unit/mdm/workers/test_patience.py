"""Waiting out what may pass."""

import pytest

from mdm.errors import OperatorError, TransientError
from mdm.workers.patience import Patience, Stopped


def failing(times: int, error: Exception) -> "tuple[list[int], object]":
    made: list[int] = []

    def attempt() -> str:
        made.append(1)
        if len(made) <= times:
            raise error
        return "done"

    return made, attempt


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patience, "_wait", lambda self, seconds: _look(self))


def _look(patience: Patience) -> None:
    if patience.stop():
        raise Stopped


def test_what_passes_is_waited_out_and_told() -> None:
    made, attempt = failing(3, TransientError("away"))
    heard: list[str] = []

    assert Patience(None, on_failure=lambda failure: heard.append(failure.message)).run(attempt) == "done"  # type: ignore[arg-type]
    assert (len(made), heard) == (4, ["away"] * 3)


def test_attempts_are_counted() -> None:
    made, attempt = failing(9, TransientError("away"))

    with pytest.raises(TransientError):
        Patience(3).run(attempt)  # type: ignore[arg-type]
    assert len(made) == 3


def test_what_does_not_pass_is_not_tried_again() -> None:
    made, attempt = failing(9, OperatorError("wrong"))

    with pytest.raises(OperatorError):
        Patience(None).run(attempt)  # type: ignore[arg-type]
    assert len(made) == 1


def test_a_stop_ends_the_wait() -> None:
    _, attempt = failing(9, TransientError("away"))

    with pytest.raises(Stopped):
        Patience(None, stop=lambda: True).run(attempt)  # type: ignore[arg-type]
