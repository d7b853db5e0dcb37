"""Why a broker cannot be spoken to, where TLS or the password is the reason.

The client takes a failed handshake for a broker that is away and tries for ever, so whoever fails to reach a broker
looks here once whether waiting would help. It speaks the two requests of Kafka's protocol that this takes.
"""

import contextlib
import socket
import ssl
import struct
from collections.abc import Iterator
from typing import Any

from kafka.net.sasl import get_sasl_mechanism

from mdm.errors import OperatorError
from mdm.streams.kafka_settings import KafkaSecurity

_PATIENCE_SECONDS = 3.0
_LONGEST_ANSWER = 65_536


#: Numbers of the protocol: SaslHandshake version 1, SaslAuthenticate version 0, and the codes of a refusal.
_HANDSHAKE, _AUTHENTICATE = (17, 1), (36, 0)
_UNSUPPORTED_MECHANISM, _AUTHENTICATION_FAILED = 33, 58


def refuse_wrong_terms(bootstrap: str, security: KafkaSecurity) -> None:
    """Shake hands with each broker that listens; nothing happens where neither TLS nor the password is wrong.

    Raises:
        OperatorError: a broker's certificate is not trusted, TLS is spoken by one side only, or the broker refuses
            mechanism, user or password.
    """
    protocol = security.options.get("security_protocol", "PLAINTEXT")
    for address in bootstrap.split(","):
        host, _, port = address.rpartition(":")
        where = (host.strip("[]"), int(port))
        # Not there, or ending the connection, or saying what we do not understand: that may pass.
        with contextlib.suppress(OSError, struct.error, UnicodeDecodeError):
            if protocol.endswith("SSL"):
                _trusted(*where, security)
            else:
                _without_tls(*where)
        if protocol.startswith("SASL"):
            with contextlib.suppress(OSError, struct.error, UnicodeDecodeError), _connected(*where, security) as line:
                _authenticated(line, where, security)


def _context(security: KafkaSecurity) -> ssl.SSLContext:
    options = security.options
    context = ssl.create_default_context(cafile=options.get("ssl_cafile"))
    if own := options.get("ssl_certfile"):
        context.load_cert_chain(own, options.get("ssl_keyfile"), lambda: str(options.get("ssl_password", "")))
    return context


def _trusted(host: str, port: int, security: KafkaSecurity) -> None:
    try:
        _shake_hands(host, port, _context(security))
    except ssl.SSLCertVerificationError as fault:
        raise OperatorError(
            f"The certificate of the broker {host}:{port} is not trusted: {fault.verify_message}.",
            action="Name the file of its authority in MDM_KAFKA_SSL_CAFILE, and call the broker by a name that is in "
            "its certificate.",
        ) from fault
    except ssl.SSLError as fault:
        if fault.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
            raise OperatorError(
                f"The broker {host}:{port} speaks no TLS.",
                action="Check the port, and MDM_KAFKA_SECURITY_PROTOCOL.",
            ) from fault
        raise


def _without_tls(host: str, port: int) -> None:
    # Only whether it answers in TLS is asked; nothing is told to it, so whom it is does not matter.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _shake_hands(host, port, context)
    raise OperatorError(
        f"The broker {host}:{port} speaks TLS, and MDM_KAFKA_SECURITY_PROTOCOL says to speak without.",
        action="Set MDM_KAFKA_SECURITY_PROTOCOL to SSL or SASL_SSL.",
    )


def _shake_hands(host: str, port: int, context: ssl.SSLContext) -> None:
    with (
        socket.create_connection((host, port), timeout=_PATIENCE_SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=host),
    ):
        pass


@contextlib.contextmanager
def _connected(host: str, port: int, security: KafkaSecurity) -> Iterator[socket.socket]:
    with socket.create_connection((host, port), timeout=_PATIENCE_SECONDS) as connection:
        if not security.options["security_protocol"].endswith("SSL"):
            yield connection
            return
        with _context(security).wrap_socket(connection, server_hostname=host) as secured:
            yield secured


def _authenticated(line: socket.socket, where: tuple[str, int], security: KafkaSecurity) -> None:
    name = security.options["sasl_mechanism"]
    answer = _ask(line, _HANDSHAKE, _text(name))
    if struct.unpack_from(">h", answer)[0] == _UNSUPPORTED_MECHANISM:
        raise _refusal(where, f"it does not take {name}")
    mechanism: Any = get_sasl_mechanism(name)(host=where[0], **security.options)  # kafka-python has no types
    while not mechanism.is_done():
        token = mechanism.auth_bytes()
        answer = _ask(line, _AUTHENTICATE, struct.pack(">i", len(token)) + token)
        code, length = struct.unpack_from(">hh", answer)
        end = 4 + max(length, 0)
        if code == _AUTHENTICATION_FAILED:
            raise _refusal(where, answer[4:end].decode() or "the password is wrong")
        if code:
            return  # something else is the matter, and may pass
        mechanism.receive(answer[end + 4 :])


def _refusal(where: tuple[str, int], reason: str) -> OperatorError:
    return OperatorError(
        f"The broker {where[0]}:{where[1]} refuses: {reason}.",
        action="Check MDM_KAFKA_SASL_MECHANISM, MDM_KAFKA_SASL_USERNAME and MDM_KAFKA_SASL_PASSWORD.",
    )


def _ask(line: socket.socket, request: tuple[int, int], body: bytes) -> bytes:
    """One request and its answer, without length and number."""
    content = struct.pack(">hhi", *request, 1) + _text("mdm") + body
    line.sendall(struct.pack(">i", len(content)) + content)
    (length,) = struct.unpack(">i", _exactly(line, 4))
    return _exactly(line, min(length, _LONGEST_ANSWER))[4:]


def _exactly(line: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        part = line.recv(length - len(found))
        if not part:
            raise ConnectionError("ended in the middle of an answer")
        found += part
    return found


def _text(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()
