"""A Kafka Connect worker with the Debezium connector for PostgreSQL; connectors are registered through its REST API."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.stack.java import java, write_properties
from deploy.stack.maven import Artifacts
from deploy.stack.processes import DidNotStart, Program

_HEAP_MEGABYTES = 512


@dataclass(slots=True)
class Connect:
    """One distributed worker: its offsets and connectors live in the broker, so a kill loses nothing."""

    artifacts: Artifacts
    directory: Path
    port: int
    bootstrap: str
    program: Program = field(init=False)

    def __post_init__(self) -> None:
        main = "org.apache.kafka.connect.cli.ConnectDistributed"
        self.program = Program(
            "connect", java(self.artifacts.jars, _HEAP_MEGABYTES, main, str(self._settings_file)), self.directory
        )

    @property
    def _settings_file(self) -> Path:
        return self.directory / "connect.properties"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, timeout_seconds: float = 180) -> None:
        """Start it and wait until its REST API answers.

        Raises:
            DidNotStart: it ended or does not answer in time.
        """
        write_properties(self._settings_file, self.settings())
        self.program.start()
        self.program.wait_until(self._answers, timeout_seconds)

    def register(self, name: str, settings: Mapping[str, str], timeout_seconds: float = 180) -> None:
        """Create or update a connector and wait until its task runs.

        Raises:
            DidNotStart: Connect refused it, or its task failed.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            answer = httpx.put(f"{self.url}/connectors/{name}/config", json=dict(settings), timeout=30)
            if answer.is_success:
                break
            # 409 and 5xx are what a worker says that has just started and is rebalancing.
            if answer.status_code < 409 or time.monotonic() > deadline:
                raise DidNotStart(f"Connect refused connector {name}: {answer.text}")
            time.sleep(0.5)
        while self.state(name) != "RUNNING":
            if self.state(name) == "FAILED" or time.monotonic() > deadline:
                raise DidNotStart(f"Connector {name} does not run: {self._status(name)}")
            time.sleep(0.2)

    def state(self, name: str) -> str:
        """The state of a connector's task, or of the connector when it has no task yet."""
        status = self._status(name)
        tasks = status.get("tasks")
        if isinstance(tasks, list) and tasks:
            return str(tasks[0]["state"])
        return "STARTING"

    def _status(self, name: str) -> dict[str, object]:
        answer = httpx.get(f"{self.url}/connectors/{name}/status", timeout=10)
        return dict(answer.json()) if answer.is_success else {}

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/connectors", timeout=2).is_success
        except httpx.HTTPError:
            return False

    def settings(self) -> dict[str, object]:
        """The lines of its settings file."""
        converter = "org.apache.kafka.connect.json.JsonConverter"
        return {
            "bootstrap.servers": self.bootstrap,
            "group.id": "mdm-connect",
            "listeners": f"http://127.0.0.1:{self.port}",
            "key.converter": converter,
            "value.converter": converter,
            "key.converter.schemas.enable": "false",
            "value.converter.schemas.enable": "false",
            "config.storage.topic": "_connect-configs",
            "offset.storage.topic": "_connect-offsets",
            "status.storage.topic": "_connect-status",
            "config.storage.replication.factor": 1,
            "offset.storage.replication.factor": 1,
            "status.storage.replication.factor": 1,
            "offset.storage.partitions": 1,
            "status.storage.partitions": 1,
            "offset.flush.interval.ms": 1000,
            "plugin.path": self.artifacts.plugins,
            "plugin.discovery": "only_scan",
            "scheduled.rebalance.max.delay.ms": 0,
        }
