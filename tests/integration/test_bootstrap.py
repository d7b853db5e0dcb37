"""From settings to a database: embedded or given, and what is said when it cannot be reached."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import JSON, Engine, bindparam, text

from mdm.bootstrap import database_url, open_hub
from mdm.errors import ConfigurationInvalid, OperatorError
from mdm.settings import Settings, read_settings
from mdm.store import migrate


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(read_settings({}), data_dir=tmp_path / "hub")


def test_without_a_url_the_hub_keeps_its_data_below_the_data_directory(settings: Settings) -> None:
    with open_hub(settings) as hub, hub.engine.begin() as connection:
        connection.execute(text("create table kept as select 7 as value"))

    with open_hub(settings) as hub, hub.engine.connect() as connection:
        assert connection.execute(text("select value from kept")).scalar_one() == 7
    assert (settings.data_dir / "postgres" / "cluster" / "PG_VERSION").exists()


def test_two_hubs_share_one_embedded_server(settings: Settings) -> None:
    with open_hub(settings) as one, open_hub(settings) as other:
        migrate.upgrade(one.engine)

        assert migrate.current(other.engine) == migrate.head()


def test_with_a_url_the_hub_uses_that_server(settings: Settings, empty_database_url: str) -> None:
    given = replace(settings, database_url=empty_database_url.replace("+psycopg", ""))

    with open_hub(given) as hub, hub.engine.connect() as connection:
        assert connection.execute(text("select 1")).scalar_one() == 1
    assert not settings.data_dir.exists()


def test_a_server_that_is_not_there_is_reported_without_its_password(settings: Settings) -> None:
    unreachable = replace(settings, database_url="postgresql://hub:geheim@127.0.0.1:1/mdm")

    with pytest.raises(OperatorError, match=r"127\.0\.0\.1:1/mdm cannot be reached") as raised, open_hub(unreachable):
        pass

    assert "geheim" not in raised.value.message
    assert "MDM_DATABASE_URL" in raised.value.advice


@pytest.mark.parametrize(
    "written", ["postgresql://u@h/d", "postgres://u@h/d", "postgresql+psycopg://u@h/d", "postgresql://u@/d?host=/run"]
)
def test_all_usual_forms_of_a_url_are_understood(written: str) -> None:
    assert database_url(written).drivername == "postgresql+psycopg"


@pytest.mark.parametrize("written", ["mysql://u:geheim@h/d", "postgresql+asyncpg://u:geheim@h/d", "geheim"])
def test_another_url_is_refused_without_repeating_it(written: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="postgresql://") as raised:
        database_url(written)

    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize("value", [2**70, -(2**70), [{"a": None, "ü": "山"}], 0.1])
def test_json_comes_back_as_it_was(empty_engine: Engine, value: object) -> None:
    query = text("select cast(:value as json)").bindparams(bindparam("value", type_=JSON)).columns(json=JSON)

    with empty_engine.connect() as connection:
        assert connection.execute(query, {"value": value}).scalar_one() == value
