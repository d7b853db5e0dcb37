"""Secrets come from a variable or from the file that it names, and no message holds one."""

from pathlib import Path

import pytest

from api.console.oidc import read_oidc
from mdm.errors import ConfigurationInvalid
from mdm.settings import read_settings, secret
from mdm.streams.kafka_settings import read_kafka_security

SECRET = "postgresql://mdm:hunter2@db/mdm"


@pytest.fixture
def mounted(tmp_path: Path) -> str:
    """A file as an orchestrator mounts it, with the line break that editors leave."""
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n", "utf-8")
    return str(file)


def test_a_secret_is_what_the_variable_or_the_file_says(mounted: str) -> None:
    assert secret({"NAME": SECRET}, "NAME") == SECRET
    assert secret({"NAME_FILE": mounted}, "NAME") == SECRET
    assert secret({}, "NAME") is None
    assert secret({"NAME": "", "NAME_FILE": ""}, "NAME") is None


def test_spaces_of_a_secret_stay(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(" two words \r\n", "utf-8")

    assert secret({"NAME_FILE": str(tmp_path / "secret")}, "NAME") == " two words "


def test_a_secret_that_is_said_twice_is_refused_without_telling_it(mounted: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="NAME and NAME_FILE are both set") as refused:
        secret({"NAME": SECRET, "NAME_FILE": mounted}, "NAME")

    assert "hunter2" not in f"{refused.value} {refused.value.action}"


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_file_that_holds_no_secret_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ConfigurationInvalid, match=f"NAME_FILE names {file}"):
        secret({"NAME_FILE": str(file)}, "NAME")


def test_every_secret_of_the_hub_may_be_a_file(mounted: str) -> None:
    broker = {
        "MDM_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "MDM_KAFKA_SASL_MECHANISM": "PLAIN",
        "MDM_KAFKA_SASL_USERNAME": "mdm",
        "MDM_KAFKA_SASL_PASSWORD_FILE": mounted,
        "MDM_KAFKA_SSL_PASSWORD_FILE": mounted,
    }
    provider = {
        "MDM_OIDC_ISSUER": "https://id.example",
        "MDM_OIDC_CLIENT_ID": "hub",
        "MDM_OIDC_CLIENT_SECRET_FILE": mounted,
    }

    options = read_kafka_security(broker).options
    known = read_oidc(provider)

    assert read_settings({"MDM_DATABASE_URL_FILE": mounted}).database_url == SECRET
    assert (options["sasl_plain_password"], options["ssl_password"]) == (SECRET, SECRET)
    assert known is not None
    assert known.client_secret == SECRET
