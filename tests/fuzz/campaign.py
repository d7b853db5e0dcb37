"""Fuzzing for as long as one likes: `python -m tests.fuzz.campaign SECONDS`. Stops at the first failure, shrunk."""

import sys
import time

from hypothesis import HealthCheck, given, seed, settings

from mdm.model.events import Message
from tests.fuzz.envelopes import check, damaged

_ROUND = 1_000


def main(seconds: float) -> None:
    """Rounds of examples, each with a seed of its own, until the time is over."""
    end, rounds = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        print(f"round {rounds + 1}, seed {rounds}, {max(end - time.monotonic(), 0):.0f} s left", flush=True)

        @seed(rounds)
        @settings(max_examples=_ROUND, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(damaged())
        def one_round(case: tuple[str, Message]) -> None:
            check(*case)

        one_round()
        rounds += 1
    print(f"{rounds * _ROUND:,} damaged messages, each with one outcome.")


if __name__ == "__main__":
    main(float(sys.argv[1]))
