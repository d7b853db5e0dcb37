"""The hub's own processes: ingest workers, relay, API. All on one embedded PostgreSQL, or on a server of your own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.stack.processes import Program, accepts

ROOT = Path(__file__).parent.parent.parent


def mdm(*arguments: str) -> Sequence[str]:
    """The command line of an `mdm` command in this Python."""
    return (sys.executable, "-m", "mdm.cli", *arguments)


@dataclass(slots=True)
class HubProcesses:
    """Workers, relay and API of one hub. `environment` is added to theirs, e.g. `MDM_DATABASE_URL`."""

    directory: Path
    bootstrap: str
    api_port: int
    environment: Mapping[str, str] = field(default_factory=dict)
    group: str = "mdm"

    @property
    def settings(self) -> dict[str, str]:
        """The environment of the hub's commands."""
        return {"MDM_DATA_DIR": str(self.directory / "hub"), "PYTHONPATH": str(ROOT), **self.environment}

    def run(self, *arguments: str, timeout_seconds: float = 300) -> str:
        """The output of an `mdm` command that ends by itself."""
        done = subprocess.run(
            mdm(*arguments),
            env={**os.environ, **self.settings},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=timeout_seconds,
        )
        return done.stdout

    def state(self) -> dict[str, str]:
        """What the hub holds, as digests."""
        return dict(json.loads(self.run("state", "digest", "--json")))

    def worker(self, number: int, *arguments: str, metrics_port: int = 0) -> Program:
        """An ingest worker; workers of one hub share the topics."""
        command = mdm("worker", "ingest", "--feed", f"kafka://{self.bootstrap}", "--group", self.group)
        return self._program(f"ingest-{number}", (*command, "--metrics-port", str(metrics_port), *arguments))

    def calendar(self) -> Program:
        """Ends what is due and pushes onboarding verdicts that changed."""
        return self._program("calendar", mdm("worker", "calendar"))

    def relay(self, number: int = 1, broker: str | None = None, metrics_port: int = 0) -> Program:
        """A relay; a second one waits to take over."""
        command = mdm("worker", "relay", "--broker", broker or self.bootstrap, "--metrics-port", str(metrics_port))
        return self._program(f"relay-{number}", command)

    def api(self) -> Program:
        return self._program("api", mdm("serve", "--port", str(self.api_port)))

    def start_api(self, timeout_seconds: float = 180) -> Program:
        """Start the API and wait until it listens."""
        api = self.api()
        api.start()
        api.wait_until(lambda: accepts(self.api_port), timeout_seconds)
        return api

    def issue_key(self, role: str) -> str:
        """An API key, kept in a file that only this account reads."""
        file = self.directory / f"{role}.key"
        if not file.exists():
            answer = json.loads(self.run("keys", "issue", "--role", role, "--label", "stack", "--json"))
            file.touch(mode=0o600)
            file.write_text(answer["key"])
        return file.read_text()

    def _program(self, name: str, command: Sequence[str]) -> Program:
        return Program(name, command, self.directory, self.settings)
