"""A TCP proxy that misbehaves: latency, cuts, resets, slow closes and half-open connections, on command or at random.

Runs its event loop in a thread of its own, so that tests drive it with plain calls. One proxy stands before one server.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

_CHUNK = 64 * 1024


class Fault(StrEnum):
    """What can befall a connection."""

    CUT = "cut"  # both sides are closed in good order, in the middle of whatever was under way
    RESET = "reset"  # both sides get a reset
    SLOW_CLOSE = "slow close"  # nothing passes any more, and only after a while both sides are closed
    HALF_OPEN = "half open"  # the server is gone, the client hears nothing of it for a while


@dataclass(eq=False, slots=True)
class _Connection:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    passes: asyncio.Event = field(default_factory=asyncio.Event)
    dead: bool = False

    def close(self, *, reset: bool = False) -> None:
        self.dead = True
        self.passes.set()  # whoever waits to pass something on finds that it is over
        for side in (self.client, self.server):
            _close(side, reset=reset)


def _close(side: asyncio.StreamWriter, *, reset: bool = False) -> None:
    if reset and (peer := side.get_extra_info("socket")) is not None:
        with contextlib.suppress(OSError):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        side.transport.abort()
    else:
        side.close()


class FaultProxy:
    """Forwards `port` to a server on the loopback address. `latency` delays every chunk, in seconds."""

    def __init__(self, target_port: int, port: int = 0) -> None:
        self.target_port, self.port = target_port, port
        self.latency = 0.0
        self.dead_seconds = 1.5
        #: How often each fault was really inflicted.
        self.inflicted: dict[Fault, int] = dict.fromkeys(Fault, 0)
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._call(self._serve())

    def stop(self) -> None:
        self._call(self._shut_down())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def inflict(self, fault: Fault, choice: random.Random) -> bool:
        """Let a random connection suffer this; False when there is none."""
        return bool(self._call(self._inflict(fault, choice)))

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _serve(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _shut_down(self) -> None:
        self._server.close()
        for connection in list(self._connections):
            connection.close()
        await asyncio.sleep(0.1)  # let the pumps end

    async def _accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            answers, server = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            client.close()
            return
        connection = _Connection(client, server)
        connection.passes.set()
        self._connections.add(connection)
        try:
            await asyncio.gather(self._pump(reader, server, connection), self._pump(answers, client, connection))
        finally:
            self._connections.discard(connection)
            connection.close()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, connection: _Connection) -> None:
        with contextlib.suppress(OSError):
            while chunk := await source.read(_CHUNK):
                if self.latency:
                    await asyncio.sleep(self.latency)
                await connection.passes.wait()
                if connection.dead:
                    return
                target.write(chunk)
                await target.drain()
        if connection.passes.is_set():
            target.close()

    async def _inflict(self, fault: Fault, choice: random.Random) -> bool:
        if not self._connections:
            return False
        connection = choice.choice(sorted(self._connections, key=id))
        self._connections.discard(connection)
        self.inflicted[fault] += 1
        match fault:
            case Fault.CUT:
                connection.close()
            case Fault.RESET:
                connection.close(reset=True)
            case Fault.SLOW_CLOSE | Fault.HALF_OPEN:
                connection.passes.clear()
                if fault is Fault.HALF_OPEN:
                    connection.server.transport.abort()
                self._loop.call_later(self.dead_seconds, connection.close)
        return True


@contextmanager
def misbehaving(*proxies: FaultProxy, seed: int, pause_seconds: float = 0.4) -> Iterator[None]:
    """While the block runs, random connections of these proxies suffer random faults."""
    choice, told = random.Random(seed), threading.Event()

    def run() -> None:
        while not told.wait(choice.uniform(0.5, 1.5) * pause_seconds):
            choice.choice(proxies).inflict(choice.choice(list(Fault)), choice)

    thread = threading.Thread(target=run, name="misbehaviour", daemon=True)
    thread.start()
    try:
        yield
    finally:
        told.set()
        thread.join(30)
