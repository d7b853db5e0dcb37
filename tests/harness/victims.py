"""What can be killed of the whole stack, in which order it dies, and how each comes back."""

import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from deploy.stack.processes import Program
from deploy.stack.stack import Stack

#: How often each dies in a round.
_WEIGHTS = {"worker": 5, "relay": 2, "broker": 2, "postgres": 3, "connect": 2}


def deaths(number: int, choice: random.Random) -> Sequence[str]:
    """So many deaths in a random order; everything dies in each round of fourteen."""
    kinds: list[str] = []
    while len(kinds) < number:
        one_round = [kind for kind, times in _WEIGHTS.items() for _ in range(times)]
        choice.shuffle(one_round)
        kinds += one_round
    return kinds[:number]


@dataclass(slots=True)
class Victims:
    """The processes of a stack, killed with SIGKILL and started again as a service manager would."""

    stack: Stack
    choice: random.Random
    kills: dict[str, int] = field(default_factory=dict)
    #: Deaths that nobody caused: a process waits out what happens to the others, it does not die of it.
    own_deaths: list[str] = field(default_factory=list)

    def kill(self, kind: str) -> None:
        match kind:
            case "worker":
                self._restart(self.choice.choice(self.stack.ingest))
            case "relay":
                self._restart(self.stack.relay)
            case "broker":
                self.stack.broker.program.kill()
                time.sleep(self.choice.uniform(0, 1.0))
                self.stack.broker.start()
            case "connect":
                self.stack.connect.program.kill()
                time.sleep(self.choice.uniform(0, 0.5))
                # It answers again after some ten seconds; the others go on meanwhile.
                self.stack.connect.program.start()
            case "postgres":
                # Its keeper starts it again, as an operating system's service manager would.
                pid_file = self.stack.hub.directory / "hub" / "postgres" / "cluster" / "postmaster.pid"
                os.kill(int(pid_file.read_text().split("\n", 1)[0]), signal.SIGKILL)
            case _:
                raise ValueError(kind)
        self.kills[kind] = self.kills.get(kind, 0) + 1

    def _restart(self, program: Program) -> None:
        program.kill()
        time.sleep(self.choice.uniform(0, 0.5))
        program.start()

    def revive(self) -> None:
        """Start what died of itself, and note it."""
        for program in self.stack.programs():
            if program.process() is None:
                self.own_deaths.append(program.name)
                program.start()
