"""The proxy really does to a connection what it says."""

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.harness.fault_proxy import Fault, FaultProxy

SEED = random.Random(1)


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """A proxy before a server that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=echo, args=(peer,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        proxy = FaultProxy(server.getsockname()[1])
        proxy.dead_seconds = 0.3
        proxy.start()
        yield proxy
        proxy.stop()


def echo(peer: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := peer.recv(1024):
            peer.sendall(chunk)


def connected(proxy: FaultProxy) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
    client.sendall(b"hello")
    assert client.recv(5) == b"hello"
    return client


def test_without_faults_everything_passes(proxy: FaultProxy) -> None:
    with connected(proxy) as client:
        client.sendall(b"x" * 100_000)
        received = 0
        while received < 100_000:
            received += len(client.recv(65536))


def test_latency_delays_both_ways(proxy: FaultProxy) -> None:
    with connected(proxy) as client:
        proxy.latency = 0.05
        began = time.monotonic()
        client.sendall(b"late")
        assert client.recv(4) == b"late"
        assert time.monotonic() - began >= 0.1


def test_a_cut_ends_the_connection(proxy: FaultProxy) -> None:
    with connected(proxy) as client:
        assert proxy.inflict(Fault.CUT, SEED)
        assert client.recv(1) == b""


def test_a_reset_is_a_reset(proxy: FaultProxy) -> None:
    with connected(proxy) as client:
        proxy.inflict(Fault.RESET, SEED)
        with pytest.raises(ConnectionResetError):
            client.recv(1)


@pytest.mark.parametrize("fault", [Fault.SLOW_CLOSE, Fault.HALF_OPEN])
def test_a_dead_connection_says_nothing_and_ends_later(proxy: FaultProxy, fault: Fault) -> None:
    with connected(proxy) as client:
        proxy.inflict(fault, SEED)
        client.sendall(b"anybody?")
        client.settimeout(0.15)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""


def test_without_connections_there_is_nothing_to_inflict(proxy: FaultProxy) -> None:
    assert not proxy.inflict(Fault.CUT, SEED)
