"""TLS and SASL against a real broker: who may read, and what somebody is told whose password or authority is wrong."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.stack.broker import Broker, Secured
from deploy.stack.hub import HubProcesses, mdm
from deploy.stack.maven import Artifacts
from deploy.stack.processes import free_port
from mdm.model.ids import Domain
from mdm.streams.cloud_events import topic_of
from tests.harness.certificates import make_authority
from tests.harness.fault_loop import fault_messages
from tests.harness.live import create_topics, end_offsets, produce

USER, PASSWORD = "hub", "a-password-of-this-test"
MESSAGES = fault_messages()[:60]


@dataclass(frozen=True, slots=True)
class Site:
    """A broker with a secured listener, an authority that signed its certificate, and one that did not."""

    broker: Broker
    trusted: Path
    foreign: Path
    directory: Path

    @property
    def feed(self) -> str:
        assert self.broker.secured is not None
        return f"kafka://127.0.0.1:{self.broker.secured.port}"

    def hub(self, mechanism: str, **changed: str) -> HubProcesses:
        environment = {
            "MDM_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "MDM_KAFKA_SSL_CAFILE": str(self.trusted),
            "MDM_KAFKA_SASL_MECHANISM": mechanism,
            "MDM_KAFKA_SASL_USERNAME": USER,
            "MDM_KAFKA_SASL_PASSWORD": PASSWORD,
            **changed,
        }
        return HubProcesses(self.directory / mechanism, self.broker.bootstrap, 0, environment)


@pytest.fixture(scope="module")
def site(artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("secured")
    authority, stranger = make_authority(directory, "authority"), make_authority(directory, "stranger")
    secured = Secured(free_port(), authority.certify(directory / "broker.pem"), USER, PASSWORD)
    broker = Broker(artifacts, directory / "broker", free_port(), free_port(), secured=secured)
    broker.start()
    create_topics(broker.bootstrap, {message.place.topic for message in MESSAGES})
    produce(broker.bootstrap, MESSAGES)
    yield Site(broker, authority.certificate, stranger.certificate, directory)
    broker.program.stop()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_whoever_has_the_password_reads_and_publishes(site: Site, mechanism: str) -> None:
    hub = site.hub(mechanism)
    topics = [topic_of(domain) for domain in Domain]
    before = sum(end_offsets(site.broker.bootstrap, topics).values())

    report = json.loads(hub.run("ingest", "--feed", site.feed, "--group", mechanism, "--json"))
    hub.run("worker", "relay", "--broker", site.feed.removeprefix("kafka://"), "--once")

    assert report["messages"] == len(MESSAGES)
    assert sum(end_offsets(site.broker.bootstrap, topics).values()) > before


@pytest.mark.parametrize("command", [("ingest", "--feed"), ("worker", "ingest", "--feed")])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_wrong_password_is_said_at_once(site: Site, mechanism: str, command: tuple[str, ...]) -> None:
    hub = site.hub(mechanism, MDM_KAFKA_SASL_PASSWORD="guessed")

    code, said = refused(hub, *command, site.feed)

    assert code == 2
    assert "refuses" in said
    assert "MDM_KAFKA_SASL_" in said
    assert "guessed" not in said


def test_a_broker_of_a_foreign_authority_is_not_spoken_to(site: Site) -> None:
    hub = site.hub("PLAIN", MDM_KAFKA_SSL_CAFILE=str(site.foreign))

    code, said = refused(hub, "ingest", "--feed", site.feed)

    assert code == 2
    assert "MDM_KAFKA_SSL_CAFILE" in said


def test_a_worker_that_speaks_without_tls_is_told_so(site: Site) -> None:
    hub = site.hub("PLAIN", MDM_KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT")

    code, said = refused(hub, "ingest", "--feed", site.feed)

    assert code == 2
    assert "MDM_KAFKA_SECURITY_PROTOCOL" in said


def refused(hub: HubProcesses, *arguments: str) -> tuple[int, str]:
    """The exit code of a command and everything it said."""
    done = subprocess.run(
        mdm(*arguments), env={**os.environ, **hub.settings}, capture_output=True, text=True, check=False, timeout=150
    )
    return done.returncode, done.stdout + done.stderr
