"""What the stack loads and registers fits what the hub expects of it."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest
import typer
import yaml

import deploy
from deploy.stack.broker import Broker
from deploy.stack.connect import Connect
from deploy.stack.maven import Artifacts
from deploy.stack.platform_sql import PLATFORMS, platform_sql
from mdm.cli.app import app
from mdm.intake.catalogue import load_catalogue
from mdm.settings import read_settings

DEPLOY = Path(deploy.__file__).parent
WORLD_TABLES = Path(__file__).parent.parent.parent / "journals" / "world_tables.json"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_connector_writes_what_the_contracts_promise(platform: str) -> None:
    document = json.loads((DEPLOY / "connectors" / f"{platform}.json").read_text("utf-8"))
    settings = document["config"]
    contracts = [each.contract for each in load_catalogue(None).profiles if each.system == platform]

    assert document["name"] == settings["database.dbname"] == platform
    for contract in contracts:
        assert contract.topic_prefix == settings["topic.prefix"]
        assert contract.encodings.decimals == settings["decimal.handling.mode"]
        assert contract.encodings.times == settings["time.precision.mode"]
    # Without it, a TRUNCATE in the source would never reach the hub.
    assert settings["skipped.operations"] == "none"


@pytest.mark.parametrize("platform", ["crm", "product"])
def test_a_platform_holds_the_rows_that_the_sample_world_ends_with(platform: str, empty_database_url: str) -> None:
    world = json.loads(WORLD_TABLES.read_text("utf-8"))
    with psycopg.connect(empty_database_url.replace("postgresql+psycopg:", "postgresql:")) as connection:
        for statement in platform_sql(load_catalogue(None), platform):
            connection.execute(statement.encode())
        for table in (name for name in world if name.startswith(f"{platform}.")):
            row = connection.execute(f"select count(*) from {table.partition('.')[2]}".encode()).fetchone()
            assert row == (world[table]["rows"],), table
        connection.rollback()


#: The broker's settings that name machines and ports: those of containers are their own.
ADDRESSES = {"controller.quorum.bootstrap.servers", "controller.quorum.voters", "listeners", "advertised.listeners"}
#: What only tests need: members that were killed let go soon, and few files, threads and small segments.
SMALL = {
    "group.min.session.timeout.ms",
    "log.segment.bytes",
    "num.network.threads",
    "num.io.threads",
    "offsets.topic.num.partitions",
    "transaction.state.log.num.partitions",
}
#: Where each image keeps what must outlive its container.
DATA = {"apache/kafka": "/var/lib/kafka/data", "postgres": "/var/lib/postgresql"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8")))


def test_the_compose_file_names_only_what_is_there(compose: dict[str, Any]) -> None:
    services = compose["services"]

    for name, service in services.items():
        assert "image" in service or (DEPLOY / ".." / service["build"]["dockerfile"]).is_file(), name
        for needed in service.get("depends_on", {}):
            assert needed in services
            condition = service["depends_on"][needed]["condition"]
            assert condition != "service_healthy" or "healthcheck" in services[needed], (name, needed)
    assert (DEPLOY / "connectors").is_dir()


def test_the_images_have_the_versions_of_the_stack(compose: dict[str, Any]) -> None:
    pom = (DEPLOY / "stack" / "pom.xml").read_text("utf-8")
    version = dict(re.findall(r"<(kafka|debezium)[.]version>([0-9.]+)", pom))
    images = dict(service["image"].rsplit(":", 1) for service in compose["services"].values() if "image" in service)

    assert images["apache/kafka"] == version["kafka"]
    assert version["debezium"].startswith(images["quay.io/debezium/connect"] + ".")


def test_what_maven_fetched_once_is_fetched_into_another_folder_too() -> None:
    """A mark of what was unpacked that lies elsewhere leaves the next folder without the connector."""
    pom = (DEPLOY / "stack" / "pom.xml").read_text("utf-8")

    written = re.findall(r"<(?:outputDirectory|markersDirectory)>([^<]*)/", pom)
    assert written == ["${stack.directory}"] * 3
    assert not (DEPLOY / "stack" / "target").exists()


def test_the_broker_in_a_container_is_set_up_as_the_one_without(compose: dict[str, Any], tmp_path: Path) -> None:
    """The image turns `KAFKA_A_B` into `a.b`, and takes nothing from elsewhere as soon as there is one of them."""
    environment = compose["services"]["broker"]["environment"]
    settings = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value) for name, value in environment.items()
    }
    without = {
        name: str(value)
        for name, value in Broker(Artifacts(tmp_path, tmp_path), tmp_path, 9092, 9093).settings().items()
    }
    # Defaults of Kafka, and what one listener leaves open.
    told = without.keys() - SMALL - ADDRESSES - {"auto.create.topics.enable", "inter.broker.listener.name"}

    assert settings.keys() - ADDRESSES == told | {"listener.security.protocol.map"}
    assert {name: settings[name] for name in told - {"log.dirs"}} == {
        name: without[name] for name in told - {"log.dirs"}
    }
    assert settings["log.dirs"] == DATA["apache/kafka"]


def test_connect_in_a_container_writes_as_the_one_without(compose: dict[str, Any], tmp_path: Path) -> None:
    environment = compose["services"]["connect"]["environment"]
    settings = {
        name.removeprefix("CONNECT_").lower().replace("_", "."): str(value) for name, value in environment.items()
    }
    without = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in Connect(Artifacts(tmp_path, tmp_path), tmp_path, 8083, "broker:9092").settings().items()
    }

    assert settings.items() <= without.items()
    assert settings.keys() >= {name for name in without if ".converter" in name}


def test_what_remembers_keeps_it_outside_of_its_container(compose: dict[str, Any]) -> None:
    kept: list[str] = []
    for name, service in compose["services"].items():
        where = DATA.get(service.get("image", "").rpartition(":")[0])
        if where is not None:
            (volume,) = [each.partition(":")[0] for each in service["volumes"] if each.endswith(f":{where}")]
            assert volume in compose["volumes"], name
            kept.append(volume)

    assert sorted(kept) == sorted(compose["volumes"]) == ["broker", "database", "platforms"]


@pytest.mark.parametrize("service", ["schema", "ingest", "relay", "calendar", "api"])
def test_a_service_of_the_hub_is_a_command_with_its_settings(compose: dict[str, Any], service: str) -> None:
    words, command, context = list(compose["services"][service]["command"]), typer.main.get_command(app), None
    while words and hasattr(command, "get_command"):
        command = command.get_command(context, words.pop(0))
        assert command is not None
    command.make_context(service, words)

    environment = compose["services"][service]["environment"]
    known = read_settings(environment)
    assert known.database_url == "postgresql://mdm:mdm@database:5432/mdm"
    assert environment.keys() == {"MDM_DATABASE_URL"}


class Answers(BaseHTTPRequestHandler):
    """Kafka Connect that has `crm` already, and refuses `product`."""

    posted: list[str]

    def do_GET(self) -> None:
        self._answer(200 if self.path == "/connectors/crm" else 404)

    def do_POST(self) -> None:
        name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["name"]
        self.posted.append(name)
        self._answer(400 if name == "product" else 201)

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _answer(self, status: int) -> None:
        body = b"the database is not there" if status == 400 else b"{}"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def connect() -> Iterator[tuple[str, list[str]]]:
    posted: list[str] = []
    server = HTTPServer(("127.0.0.1", 0), type("_Answers", (Answers,), {"posted": posted}))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", posted
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the service is a script of curl")
def test_a_connector_that_is_refused_is_told(compose: dict[str, Any], connect: tuple[str, list[str]]) -> None:
    service = compose["services"]["connectors"]
    (script,) = service["command"]
    url, posted = connect
    script = script.replace("$$", "$").replace("http://connect:8083", url)
    script = script.replace("/connectors/*.json", f"{DEPLOY / 'connectors'}/*.json")

    done = subprocess.run([*service["entrypoint"], script], capture_output=True, text=True, check=False)

    assert posted == ["billing", "erp", "product"], "crm is there already"
    assert done.returncode != 0
    assert "the database is not there" in done.stdout
