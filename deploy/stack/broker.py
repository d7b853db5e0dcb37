"""One Kafka broker in KRaft mode: broker and controller in one process, its log below a folder, so that it survives."""

import subprocess
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path

from deploy.stack.java import java, write_properties
from deploy.stack.maven import Artifacts
from deploy.stack.processes import DidNotStart, Program, accepts

_HEAP_MEGABYTES = 384


@dataclass(frozen=True, slots=True)
class Secured:
    """A listener with TLS and SASL: PLAIN and SCRAM-SHA-512, for one account."""

    port: int
    #: PEM with the broker's private key (PKCS 8) and certificate.
    keystore: Path
    user: str
    password: str

    def settings(self) -> dict[str, object]:
        """What the broker's settings have for it."""
        prefix = "listener.name.secured"
        module = "org.apache.kafka.common.security"
        return {
            f"{prefix}.ssl.keystore.type": "PEM",
            f"{prefix}.ssl.keystore.location": self.keystore,
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            f"{prefix}.plain.sasl.jaas.config": (
                f'{module}.plain.PlainLoginModule required user_{self.user}="{self.password}";'
            ),
            f"{prefix}.scram-sha-512.sasl.jaas.config": f"{module}.scram.ScramLoginModule required;",
        }


@dataclass(slots=True)
class Broker:
    """A broker on the loopback address. Start it again after a kill: it recovers its log."""

    artifacts: Artifacts
    directory: Path
    port: int
    controller_port: int
    #: A second listener and the port under which it is told to clients: a proxy stands in between.
    proxied: tuple[int, int] | None = None
    #: A further listener for accounts with a password.
    secured: Secured | None = None
    #: Partitions of topics that are created by their first message.
    partitions: int = 3
    program: Program = field(init=False)

    def __post_init__(self) -> None:
        command = java(self.artifacts.jars, _HEAP_MEGABYTES, "kafka.Kafka", str(self._settings_file))
        self.program = Program("broker", command, self.directory)

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def _settings_file(self) -> Path:
        return self.directory / "server.properties"

    def start(self, timeout_seconds: float = 180) -> None:
        """Start it and wait until it listens.

        Raises:
            DidNotStart: it ended or does not listen in time.
        """
        write_properties(self._settings_file, self.settings())
        if not (self.directory / "data" / "meta.properties").exists():
            self._format()
        self.program.start()
        self.program.wait_until(lambda: accepts(self.port), timeout_seconds)

    def _format(self) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # With =, because one id in 64 begins with a dash and would be taken for an option.
        arguments = ["format", f"--cluster-id={cluster}", "-c", str(self._settings_file), "--standalone"]
        if self.secured is not None:
            account = f"name={self.secured.user},password={self.secured.password}"
            arguments += ["--add-scram", f"SCRAM-SHA-512=[{account}]"]
        command = java(self.artifacts.jars, _HEAP_MEGABYTES, "kafka.tools.StorageTool", *arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DidNotStart(f"The broker's storage could not be formatted:\n{done.stdout}{done.stderr}")

    def settings(self) -> dict[str, object]:
        """The lines of its settings file."""
        listeners = {"PLAINTEXT": self.port, "CONTROLLER": self.controller_port}
        advertised = {"PLAINTEXT": self.port}
        if self.proxied is not None:
            listeners["PROXIED"], advertised["PROXIED"] = self.proxied
        if self.secured is not None:
            listeners["SECURED"] = advertised["SECURED"] = self.secured.port
        protocols = {name: "SASL_SSL" if name == "SECURED" else "PLAINTEXT" for name in listeners}
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self.controller_port}",
            "listeners": _addresses(listeners),
            "advertised.listeners": _addresses(advertised),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
            "log.dirs": self.directory / "data",
            "num.partitions": self.partitions,
            "auto.create.topics.enable": "true",
            # One broker: everything that is replicated elsewhere exists once here.
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            # Members that were killed must not hold their partitions for long.
            "group.min.session.timeout.ms": 1000,
            "log.segment.bytes": 64 * 1024 * 1024,
            # Captured messages carry their source's time, which may be years old: keep everything.
            "log.retention.ms": -1,
            "num.network.threads": 2,
            "num.io.threads": 4,
            **(self.secured.settings() if self.secured is not None else {}),
        }


def _addresses(ports: dict[str, int]) -> str:
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())
