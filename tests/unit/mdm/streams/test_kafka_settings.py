"""How the environment says whom to trust and who we are."""

from pathlib import Path

import certifi
import pytest

from mdm.errors import ConfigurationInvalid, OperatorError
from mdm.streams.kafka import KafkaFeed, KafkaSource
from mdm.streams.kafka_settings import read_stream_settings

SASL = {
    "MDM_KAFKA_SECURITY_PROTOCOL": "sasl_ssl",
    "MDM_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "MDM_KAFKA_SASL_USERNAME": "mdm",
    "MDM_KAFKA_SASL_PASSWORD": "secret",
}


def test_nothing_set_is_plain_text_without_a_registry() -> None:
    settings = read_stream_settings({})

    assert settings.security.options == {"security_protocol": "PLAINTEXT"}
    assert (settings.registry, settings.on_lost_position) == (None, "stop")


def test_encryption_and_password_reach_the_client_by_its_own_names(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_bytes(Path(certifi.where()).read_bytes())

    options = read_stream_settings(SASL | {"MDM_KAFKA_SSL_CAFILE": str(authority)}).security.options

    assert options == {
        "security_protocol": "SASL_SSL",
        "ssl_cafile": str(authority),
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "mdm",
        "sasl_plain_password": "secret",
    }


def test_a_password_is_never_shown() -> None:
    assert "secret" not in repr(read_stream_settings(SASL))


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"MDM_KAFKA_SECURITY_PROTOCOL": "TLS"}, "MDM_KAFKA_SECURITY_PROTOCOL"),
        ({"MDM_KAFKA_SSL_CAFILE": "/nowhere.pem"}, "MDM_KAFKA_SSL_CAFILE"),
        ({**SASL, "MDM_KAFKA_SASL_PASSWORD": ""}, "password is missing"),
        ({**SASL, "MDM_KAFKA_SASL_MECHANISM": "GSSAPI"}, "MDM_KAFKA_SASL_MECHANISM"),
        ({"MDM_KAFKA_LOST_POSITION": "skip"}, "MDM_KAFKA_LOST_POSITION"),
    ],
)
def test_a_wrong_setting_is_named(environment: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=named):
        read_stream_settings(environment)


def test_certificates_that_cannot_be_read_are_named_instead_of_tried_for_ever(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("no certificate")

    for variable in ("MDM_KAFKA_SSL_CAFILE", "MDM_KAFKA_SSL_CERTFILE", "MDM_KAFKA_SSL_KEYFILE"):
        with pytest.raises(ConfigurationInvalid, match=variable):
            read_stream_settings({"MDM_KAFKA_SECURITY_PROTOCOL": "SSL", variable: str(nothing)})


def test_a_pattern_that_is_none_is_refused_before_anything_is_opened() -> None:
    with pytest.raises(OperatorError, match="regular expression"):
        KafkaFeed(KafkaSource("127.0.0.1:1", "crm(", "g"))
