"""What feeds and the relay need to know about their surroundings: read from the environment once, handed down."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mdm.errors import ConfigurationInvalid
from mdm.settings import secret

_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_FILES = {
    "MDM_KAFKA_SSL_CAFILE": "ssl_cafile",
    "MDM_KAFKA_SSL_CERTFILE": "ssl_certfile",
    "MDM_KAFKA_SSL_KEYFILE": "ssl_keyfile",
}


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """Settings of kafka-python for encryption and authentication, by their names there."""

    options: Mapping[str, Any]  # Any: texts, and None where nothing is set

    def __repr__(self) -> str:
        # Passwords are among the options, and settings get logged.
        return f"KafkaSecurity({self.options.get('security_protocol', 'PLAINTEXT')})"


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How streams are set up.

    Attributes:
        registry: the schema registry's address, or `file:FOLDER`; None when there is none.
        on_lost_position: what to do when the broker has dropped what the hub needs next.
    """

    security: KafkaSecurity
    registry: str | None
    on_lost_position: Literal["stop", "continue"]


def read_stream_settings(environment: Mapping[str, str]) -> StreamSettings:
    """Settings from `MDM_KAFKA_*`, `MDM_SCHEMA_REGISTRY` and `MDM_KAFKA_LOST_POSITION`.

    Raises:
        ConfigurationInvalid: a value cannot be used; the message names the variable.
    """
    lost = environment.get("MDM_KAFKA_LOST_POSITION") or "stop"
    if lost not in ("stop", "continue"):
        raise ConfigurationInvalid(f"MDM_KAFKA_LOST_POSITION must be stop or continue, not {lost!r}.")
    return StreamSettings(
        read_kafka_security(environment),
        environment.get("MDM_SCHEMA_REGISTRY") or None,
        "continue" if lost == "continue" else "stop",
    )


def read_kafka_security(environment: Mapping[str, str]) -> KafkaSecurity:
    """Security from `MDM_KAFKA_SECURITY_PROTOCOL`, `MDM_KAFKA_SSL_*`, `MDM_KAFKA_SASL_*`.

    Raises:
        ConfigurationInvalid: a value is unknown, a file is missing, or what belongs together is incomplete.
    """
    protocol = _one_of(environment, "MDM_KAFKA_SECURITY_PROTOCOL", _PROTOCOLS) or "PLAINTEXT"
    options: dict[str, Any] = {"security_protocol": protocol}
    for variable, option in _FILES.items():
        if path := environment.get(variable):
            if not Path(path).is_file():
                raise ConfigurationInvalid(f"{variable} names {path}, which is no file.")
            options[option] = path
    if password := secret(environment, "MDM_KAFKA_SSL_PASSWORD"):
        options["ssl_password"] = password
    _refuse_unreadable(options)
    if protocol.startswith("SASL_"):
        options |= _sasl(environment)
    return KafkaSecurity(options)


def _refuse_unreadable(options: Mapping[str, Any]) -> None:
    """The client takes a certificate that it cannot read for a broker that is away, and would try for ever."""
    context = ssl.create_default_context()
    authority, own, key = (options.get(name) for name in _FILES.values())
    if key is not None and own is None:
        raise ConfigurationInvalid("MDM_KAFKA_SSL_KEYFILE needs the certificate of the key in MDM_KAFKA_SSL_CERTFILE.")
    try:
        if authority is not None:
            context.load_verify_locations(authority)
    except (ssl.SSLError, OSError) as fault:
        raise ConfigurationInvalid(f"MDM_KAFKA_SSL_CAFILE: {authority} holds no certificate to trust.") from fault
    try:
        if own is not None:
            # A callable, because without one a key with a password would ask for it at the terminal.
            context.load_cert_chain(own, key, lambda: str(options.get("ssl_password", "")))
    except (ssl.SSLError, OSError) as fault:
        raise ConfigurationInvalid(
            f"MDM_KAFKA_SSL_CERTFILE: {own} and its key cannot be used ({type(fault).__name__}).",
            action="Check that it is PEM, that MDM_KAFKA_SSL_KEYFILE belongs to it, and MDM_KAFKA_SSL_PASSWORD.",
        ) from fault


def _sasl(environment: Mapping[str, str]) -> dict[str, str]:
    mechanism = _one_of(environment, "MDM_KAFKA_SASL_MECHANISM", _MECHANISMS)
    user, password = environment.get("MDM_KAFKA_SASL_USERNAME"), secret(environment, "MDM_KAFKA_SASL_PASSWORD")
    if not (mechanism and user and password):
        raise ConfigurationInvalid(
            "MDM_KAFKA_SECURITY_PROTOCOL asks for SASL, but mechanism, user name or password is missing.",
            action="Set MDM_KAFKA_SASL_MECHANISM, MDM_KAFKA_SASL_USERNAME and MDM_KAFKA_SASL_PASSWORD.",
        )
    return {"sasl_mechanism": mechanism, "sasl_plain_username": user, "sasl_plain_password": password}


def _one_of(environment: Mapping[str, str], variable: str, allowed: tuple[str, ...]) -> str | None:
    value = environment.get(variable)
    if not value:
        return None
    if value.upper() not in allowed:
        raise ConfigurationInvalid(f"{variable} must be one of {', '.join(allowed)}, not {value!r}.")
    return value.upper()
