"""What the stack loads and registers fits what the hub expects of it."""

import json
from pathlib import Path

import psycopg
import pytest
import yaml

import deploy
from deploy.stack.platform_sql import PLATFORMS, platform_sql
from mdm.intake.catalogue import load_catalogue

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


def test_the_compose_file_names_only_what_is_there() -> None:
    document = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    services = document["services"]

    for name, service in services.items():
        assert "image" in service or (DEPLOY / ".." / service["build"]["dockerfile"]).is_file(), name
        for needed in service.get("depends_on", {}):
            assert needed in services
            condition = service["depends_on"][needed]["condition"]
            assert condition != "service_healthy" or "healthcheck" in services[needed], (name, needed)
    assert (DEPLOY / "connectors").is_dir()
