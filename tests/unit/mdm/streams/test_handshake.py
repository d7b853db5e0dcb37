"""What is told of a broker whose TLS or password is not ours, and what is left to pass."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from mdm.errors import OperatorError
from mdm.streams.handshake import refuse_wrong_terms
from mdm.streams.kafka_settings import KafkaSecurity
from tests.harness.certificates import Authority, make_authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path, "authority")


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A listener that gives each connection this answer and ends it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def listening(context: ssl.SSLContext | None) -> AbstractContextManager[str]:
    """Somebody who shakes hands, or says something that is no TLS."""

    def answer(connection: socket.socket) -> None:
        if context is not None:
            context.wrap_socket(connection, server_side=True).close()
        else:
            connection.recv(1)
            connection.sendall(b"no TLS at all")

    return serving(answer)


def certified(authority: Authority, folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certify(folder / "broker.pem"))
    return context


def trusting(authority: Authority, protocol: str = "SASL_SSL") -> KafkaSecurity:
    return KafkaSecurity({"security_protocol": protocol, "ssl_cafile": str(authority.certificate)})


def test_a_broker_that_our_authority_certified_is_fine(authority: Authority, tmp_path: Path) -> None:
    with listening(certified(authority, tmp_path)) as address:
        refuse_wrong_terms(address, trusting(authority, "SSL"))


def test_a_certificate_of_somebody_else_is_the_operators_matter(authority: Authority, tmp_path: Path) -> None:
    stranger = make_authority(tmp_path, "stranger")
    with (
        listening(certified(authority, tmp_path)) as address,
        pytest.raises(OperatorError, match=f"certificate of the broker {address} is not trusted") as refused,
    ):
        refuse_wrong_terms(address, trusting(stranger))
    assert "MDM_KAFKA_SSL_CAFILE" in refused.value.advice


def test_tls_on_one_side_only_is_told(authority: Authority, tmp_path: Path) -> None:
    with listening(None) as address, pytest.raises(OperatorError, match="speaks no TLS"):
        refuse_wrong_terms(address, trusting(authority))
    with listening(certified(authority, tmp_path)) as address, pytest.raises(OperatorError, match="speaks TLS"):
        refuse_wrong_terms(address, KafkaSecurity({"security_protocol": "SASL_PLAINTEXT"}))


@pytest.mark.parametrize("protocol", ["SASL_SSL", "PLAINTEXT"])
def test_a_broker_that_is_away_may_come_back(authority: Authority, protocol: str) -> None:
    refuse_wrong_terms("127.0.0.1:1,[::1]:1", trusting(authority, protocol))


def framed(content: bytes) -> bytes:
    return struct.pack(">ii", len(content) + 4, 1) + content


#: Answers of a broker: to the handshake, then to the password.
TAKES_PLAIN = framed(struct.pack(">hih", 0, 1, 5) + b"PLAIN")
TAKES_SCRAM = framed(struct.pack(">hih", 33, 1, 13) + b"SCRAM-SHA-512")
WELCOME = framed(struct.pack(">hhi", 0, -1, 0))
REFUSED = framed(struct.pack(">hh", 58, 10) + b"who is it?" + struct.pack(">i", 0))
BUSY = framed(struct.pack(">hhi", 7, -1, 0))


def answering(*answers: bytes) -> AbstractContextManager[str]:
    """A listener without TLS that answers each request in turn, then ends the connection."""

    def answer(connection: socket.socket) -> None:
        for each in answers:
            head = connection.recv(4, socket.MSG_WAITALL)
            if len(head) < 4 or head[0]:  # TLS is greeted with 0x16
                return
            connection.recv(int.from_bytes(head), socket.MSG_WAITALL)
            connection.sendall(each)

    return serving(answer)


WITH_PASSWORD = KafkaSecurity(
    {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "hub",
        "sasl_plain_password": "guessed",
    }
)


@pytest.mark.parametrize(
    ("answers", "told"), [((TAKES_PLAIN, REFUSED), "who is it"), ((TAKES_SCRAM,), "does not take PLAIN")]
)
def test_a_password_or_mechanism_that_is_refused_is_the_operators_matter(answers: tuple[bytes, ...], told: str) -> None:
    with answering(*answers) as address, pytest.raises(OperatorError, match=told) as refused:
        refuse_wrong_terms(address, WITH_PASSWORD)
    assert "MDM_KAFKA_SASL_PASSWORD" in refused.value.advice
    assert "guessed" not in refused.value.message


@pytest.mark.parametrize(
    "answers", [(TAKES_PLAIN, WELCOME), (TAKES_PLAIN, BUSY), (TAKES_PLAIN,), (b"\0\0\0\5hello",), ()]
)
def test_what_is_no_refusal_may_pass(answers: tuple[bytes, ...]) -> None:
    with answering(*answers) as address:
        refuse_wrong_terms(address, WITH_PASSWORD)
