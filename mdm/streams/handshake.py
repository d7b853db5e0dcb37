"""Why a broker cannot be spoken to, where TLS is the reason.

The client takes a failed handshake for a broker that is away and tries for ever, so whoever fails to reach a broker
looks here once whether waiting would help.
"""

import contextlib
import socket
import ssl

from mdm.errors import OperatorError
from mdm.streams.kafka_settings import KafkaSecurity

_PATIENCE_SECONDS = 3.0


def refuse_wrong_tls(bootstrap: str, security: KafkaSecurity) -> None:
    """Try a TLS handshake with each broker that listens; nothing happens where TLS is not what is wrong.

    Raises:
        OperatorError: a broker's certificate is not trusted, or TLS is spoken by one side only.
    """
    wanted = security.options.get("security_protocol", "PLAINTEXT").endswith("SSL")
    for address in bootstrap.split(","):
        host, _, port = address.rpartition(":")
        with contextlib.suppress(OSError):  # not there, or ending the connection: that may pass
            if wanted:
                _trusted(host.strip("[]"), int(port), security)
            else:
                _without_tls(host.strip("[]"), int(port))


def _trusted(host: str, port: int, security: KafkaSecurity) -> None:
    options = security.options
    context = ssl.create_default_context(cafile=options.get("ssl_cafile"))
    if own := options.get("ssl_certfile"):
        context.load_cert_chain(own, options.get("ssl_keyfile"), lambda: str(options.get("ssl_password", "")))
    try:
        _shake_hands(host, port, context)
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
