"""The platforms' PostgreSQL server: four databases with logical replication, on a TCP port for Debezium.

`python -m deploy.stack.platforms DIRECTORY PORT` keeps it running until it is told to stop.
"""

import signal
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import psycopg

from deploy.stack.platform_sql import CONNECTOR_PASSWORD, CONNECTOR_USER, PLATFORMS, platform_sql
from deploy.stack.processes import Program
from mdm.intake.catalogue import load_catalogue
from mdm.store.embedded import EmbeddedServer

_ROOT = Path(__file__).parent.parent.parent
_OPTIONS = {"wal_level": "logical", "max_wal_senders": "12", "max_replication_slots": "12"}


@dataclass(slots=True)
class Platforms:
    """The databases crm, billing, product and erp."""

    directory: Path
    port: int
    program: Program = field(init=False)

    def __post_init__(self) -> None:
        command = (sys.executable, "-m", "deploy.stack.platforms", str(self._home), str(self.port))
        self.program = Program("platforms", command, self.directory, {"PYTHONPATH": str(_ROOT)})

    @property
    def _home(self) -> Path:
        return self.directory / "platforms"

    def start(self, timeout_seconds: float = 180) -> None:
        """Start the server, and make and fill the databases unless they are there."""
        self.program.start()
        ready = self._home / "filled"
        self.program.wait_until(ready.exists, timeout_seconds)

    def connect(self, platform: str) -> "psycopg.Connection[tuple[object, ...]]":
        """A session in a platform's database, as its owner."""
        # Joining the server that the process holds; the socket is only for its own account.
        server = _server(self._home, self.port)
        server.start()
        return psycopg.connect(_conninfo(server, platform), autocommit=True)

    def connector_settings(self, platform: str) -> dict[str, str]:
        """What a connector needs to reach a platform's database."""
        return {
            "database.hostname": "127.0.0.1",
            "database.port": str(self.port),
            "database.dbname": platform,
            "database.user": CONNECTOR_USER,
            "database.password": CONNECTOR_PASSWORD,
        }


def _server(home: Path, port: int) -> EmbeddedServer:
    return EmbeddedServer(home, tcp_port=port, options=_OPTIONS)


def _conninfo(server: EmbeddedServer, database: str) -> str:
    return server.url(database).replace("postgresql+psycopg:", "postgresql:")


def keep(home: Path, port: int) -> None:
    """Run the server with its databases until SIGTERM."""
    told = threading.Event()

    def stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler
        told.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with _server(home, port) as server:
        filled = home / "filled"
        if not filled.exists():
            _fill(server)
            filled.touch()
        told.wait()


def _fill(server: EmbeddedServer) -> None:
    catalogue = load_catalogue(None)
    for platform in PLATFORMS:
        server.create_database(platform)
        with psycopg.connect(_conninfo(server, platform)) as connection:
            for statement in platform_sql(catalogue, platform):
                connection.execute(statement.encode())


if __name__ == "__main__":
    keep(Path(sys.argv[1]), int(sys.argv[2]))
