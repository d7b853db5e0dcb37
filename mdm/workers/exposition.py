"""What a worker shows of itself over HTTP: `/metrics`, `/livez` and `/readyz` on a port of its own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

from mdm.observability.metrics import Metrics

_METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
#: A loop that has not come round for this long hangs: longer than any unit of work, shorter than anybody's patience.
_LONGEST_TURN_SECONDS = 300.0


@dataclass(slots=True)
class Health:
    """Whether a worker's loop comes round, and whether it does its work."""

    _turned_at: float = field(default_factory=time.monotonic)
    #: What keeps it from its work now; empty when nothing does.
    trouble: str = ""

    def turn(self) -> None:
        """The loop came round and nothing is in its way."""
        self._turned_at = time.monotonic()
        self.trouble = ""

    def waits(self, reason: str) -> None:
        """The loop comes round, but cannot work because of this."""
        self._turned_at = time.monotonic()
        self.trouble = reason

    @property
    def alive(self) -> bool:
        return time.monotonic() - self._turned_at < _LONGEST_TURN_SECONDS


@contextmanager
def exposed(metrics: Metrics, health: Health, host: str, port: int | None) -> Iterator[int | None]:
    """Serve until the block ends; yields the port (0 asks for any free one), None when `port` is None."""
    if port is None:
        yield None
        return
    server = ThreadingHTTPServer((host, port), _handler(metrics, health))
    server.daemon_threads = True
    Thread(target=server.serve_forever, name="exposition", daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def _handler(metrics: Metrics, health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/metrics":
                    self._answer(200, metrics.exposition(), _METRICS_TYPE)
                case "/livez":
                    self._answer(200 if health.alive else 503, b"alive\n" if health.alive else b"hangs\n")
                case "/readyz":
                    ready = health.alive and not health.trouble
                    self._answer(200 if ready else 503, (health.trouble or "ready").encode() + b"\n")
                case _:
                    self._answer(404, b"There is /metrics, /livez and /readyz.\n")

        def _answer(self, status: int, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing: probes come every few seconds."""

    return Handler
