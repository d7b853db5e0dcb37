"""All parts together: started in the order in which they need each other, stopped in the other one."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.stack.broker import Broker
from deploy.stack.connect import Connect
from deploy.stack.hub import HubProcesses
from deploy.stack.maven import fetch
from deploy.stack.platform_sql import PLATFORMS
from deploy.stack.platforms import Platforms
from deploy.stack.processes import Program, accepts

_CONNECTORS = Path(__file__).parent.parent / "connectors"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the parts listen, all on the loopback address."""

    broker: int = 19092
    controller: int = 19093
    connect: int = 18083
    platforms: int = 15432
    api: int = 18080
    #: Of the first ingest worker; the relay and further workers follow.
    metrics: int = 19464


@dataclass(slots=True)
class Stack:
    """The whole stack below one folder. What runs already is left alone, so `up` may be repeated."""

    directory: Path
    ports: Ports = field(default_factory=Ports)
    workers: int = 1
    say: Callable[[str], None] = lambda _: None
    #: Options of every ingest worker.
    worker_options: Sequence[str] = ()
    broker: Broker = field(init=False)
    connect: Connect = field(init=False)
    platforms: Platforms = field(init=False)
    hub: HubProcesses = field(init=False)
    ingest: tuple[Program, ...] = field(init=False)
    relay: Program = field(init=False)
    calendar: Program = field(init=False)
    api: Program = field(init=False)

    def __post_init__(self) -> None:
        ports, artifacts = self.ports, fetch()
        self.broker = Broker(artifacts, self.directory, ports.broker, ports.controller)
        self.connect = Connect(artifacts, self.directory, ports.connect, self.broker.bootstrap)
        self.platforms = Platforms(self.directory, ports.platforms)
        self.hub = HubProcesses(self.directory, self.broker.bootstrap, ports.api)
        self.ingest = tuple(
            self.hub.worker(number, *self.worker_options, metrics_port=ports.metrics + number)
            for number in range(1, self.workers + 1)
        )
        self.relay = self.hub.relay(metrics_port=ports.metrics)
        self.calendar = self.hub.calendar()
        self.api = self.hub.api()

    def up(self, platforms: Sequence[str] = PLATFORMS) -> None:
        """Start everything that does not run, with the connectors of these platforms.

        Raises:
            DidNotStart: a part does not come up; the message has the end of its log.
        """
        self._ensure("broker", self.broker.program, self.broker.start)
        self._ensure("platform databases", self.platforms.program, self.platforms.start)
        self._ensure("Kafka Connect", self.connect.program, self.connect.start)
        for platform in platforms:
            self.say(f"connector {platform}")
            self.connect.register(platform, self.connector(platform))
        self.say("hub: schema, workers, relay, API")
        self.hub.run("db", "upgrade")
        for program in (*self.ingest, self.relay, self.calendar, self.api):
            if program.process() is None:
                program.start()
        self.api.wait_until(lambda: accepts(self.ports.api))

    def connector(self, platform: str) -> dict[str, str]:
        """A connector's settings: those of `deploy/connectors`, with this stack's databases."""
        document = json.loads((_CONNECTORS / f"{platform}.json").read_text("utf-8"))
        return {**document["config"], **self.platforms.connector_settings(platform)}

    def programs(self) -> tuple[Program, ...]:
        """Every process of the stack, in the order of starting."""
        return (
            self.broker.program,
            self.platforms.program,
            self.connect.program,
            *self.ingest,
            self.relay,
            self.calendar,
            self.api,
        )

    def down(self) -> None:
        """Stop everything, last started first."""
        for program in reversed(self.programs()):
            if program.process() is not None:
                self.say(f"stopping {program.name}")
            program.stop()

    def _ensure(self, name: str, program: Program, start: Callable[[], None]) -> None:
        if program.process() is None:
            self.say(name)
            start()
