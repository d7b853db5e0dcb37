"""A real server on which the hub's user is an ordinary owner: no superuser, no BYPASSRLS, no right to create roles.

What an administrator did once is what docs/access.md says. Everything else - schema, ingest, reads of limited callers,
rebuild, erasure, releases of rules - must work as that user, with row security on its own tables.
"""

import re
from collections.abc import Callable, Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from api.app import create_app
from mdm.access import Role, Scope
from mdm.bootstrap import make_engine
from mdm.cli.app import app as commands
from mdm.errors import OperatorError
from mdm.store import api_keys
from mdm.store.embedded import EmbeddedServer
from mdm.store.row_security import ROLE
from mdm.store.scoped import scoped
from mdm.store.tables import metadata
from tests.api.conftest import Surroundings
from tests.pages import take

Mdm = Callable[..., str]

(_PAGE,) = take("access", "sql")
#: What the page has an administrator run once: the hub's user and its database, then the role of limited callers.
_ADMINISTRATOR = [each.strip() for each in re.sub(r"--.*", "", _PAGE).split(";") if each.strip()]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A server of its own: roles belong to a server, and the others have made theirs already."""
    options = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
    with EmbeddedServer(tmp_path_factory.mktemp("ordinary") / "pg", options=options) as started:
        yield started


def administer(server: EmbeddedServer, *statements: str) -> None:
    engine = make_engine(server.url()).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def url_of(server: EmbeddedServer, user: str, database: str) -> str:
    return make_url(server.url(database)).set(username=user).render_as_string(hide_password=False)


def mdm_on(url: str) -> Mdm:
    def run(*arguments: object) -> str:
        result = CliRunner().invoke(commands, [*map(str, arguments)], env={"MDM_DATABASE_URL": url})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, (arguments, result.output)
        return result.stdout

    return run


@pytest.fixture(scope="module")
def owner_url(server: EmbeddedServer) -> str:
    """The database of an ordinary owner, with the schema and the sample world."""
    administer(server, *_ADMINISTRATOR[:2])
    url = url_of(server, "mdm", "mdm")
    with pytest.raises(OperatorError, match="Row security cannot be set up") as refused:
        mdm_on(url)("db", "upgrade")
    assert "create role mdm_scoped nologin noinherit" in refused.value.advice

    administer(server, *_ADMINISTRATOR[2:])
    mdm = mdm_on(url)
    mdm("db", "upgrade")
    with as_file(files("mdm.demo") / "world") as world:
        mdm("ingest", "--feed", f"file:{world / 'events'}")
    return url


@pytest.fixture
def owner(owner_url: str) -> Iterator[Engine]:
    engine = make_engine(owner_url)
    yield engine
    engine.dispose()


def test_the_user_is_an_ordinary_one_and_owns_every_table_under_row_security(owner: Engine) -> None:
    with owner.connect() as connection:
        rights = connection.execute(
            text("select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where rolname = current_user")
        ).one()
        forced = connection.execute(
            text(
                """select relname, pg_get_userbyid(relowner), relrowsecurity from pg_class
                   where relkind = 'r' and relnamespace = 'public'::regnamespace and relname <> 'alembic_version'"""
            )
        ).all()

    assert tuple(rights) == (False, False, False, False)
    assert {row[0] for row in forced} >= set(metadata.tables)
    assert {(row[1], row[2]) for row in forced if row[0] in metadata.tables} == {("mdm", True)}


def test_limited_callers_see_their_scope_by_row_security_alone(owner: Engine) -> None:
    with owner.connect() as connection:
        everything = connection.scalar(text("select count(*) from golden where known_to is null"))
        american = connection.scalar(
            text("select count(*) from golden join placement using (entity_id) where known_to is null "
                 "and regions && array['AMER', '*']")
        )  # fmt: skip
    with scoped(owner, Scope(regions=frozenset({"AMER"}))).connect() as connection:
        assert connection.scalar(text("select current_user")) == ROLE
        seen = connection.scalar(text("select count(*) from golden where known_to is null"))
        with pytest.raises(DBAPIError, match="permission denied"):
            connection.execute(text("select * from api_key"))

    assert 0 < (american or 0) < (everything or 0)
    assert seen == american
    with owner.connect() as connection:
        connection.execute(text(f"set local role {ROLE}"))
        assert connection.scalar(text("select count(*) from golden")) == 0, "no scope, no rows"


def test_the_api_serves_limited_and_unlimited_callers(owner: Engine) -> None:
    around = Surroundings(owner)
    with owner.begin() as connection:
        keys = [
            api_keys.issue_key(connection, Role.STEWARD, "ines", scope)
            for scope in (Scope(), Scope(regions=frozenset({"AMER"})))
        ]
    with TestClient(create_app(around)) as client:
        free, limited = ({"X-API-Key": key} for key in keys)
        everywhere = client.get("/v1/customers?limit=200", headers=free).json()["items"]
        within = client.get("/v1/customers?limit=200", headers=limited).json()["items"]
        assert 0 < len(within) < len(everywhere)
        outside = next(each["id"] for each in everywhere if each["id"] not in {item["id"] for item in within})
        for part in ("", "/lineage", "/sources", "/_history", "/hierarchy", "/facts"):
            assert client.get(f"/v1/customers/{outside}{part}", headers=free).status_code == 200
            assert client.get(f"/v1/customers/{outside}{part}", headers=limited).status_code == 404
            assert client.get(f"/v1/customers/{within[0]['id']}{part}", headers=limited).status_code == 200


def test_every_command_works_as_the_ordinary_owner(owner_url: str, owner: Engine, tmp_path: Path) -> None:
    mdm = mdm_on(owner_url)
    for arguments in (
        ("status",), ("state", "digest"), ("verify",), ("access", "place"), ("access", "show"), ("feeds", "list"),
        ("exceptions", "list"), ("keys", "list"), ("accounts", "create", "noor"), ("ownership", "show"),
        ("steward", "proposals"), ("releases", "list"), ("onboarding", "codes"),
        ("export", "golden", "--domain", "customer", "--format", "parquet", "--output", tmp_path / "golden.parquet"),
        ("export", "crosswalk", "--domain", "customer", "--output", tmp_path / "crosswalk.csv"),
    ):  # fmt: skip
        mdm(*arguments)
    assert "Row security is in place" in mdm("access", "show")

    with owner.connect() as connection:
        before = connection.scalar(text("select count(*) from golden where known_to is null"))
    assert "It is in use now." in mdm("rebuild", "--swap")
    assert "Row security is in place" in mdm("access", "show")
    with scoped(owner, Scope(regions=frozenset({"AMER"}))).connect() as connection:
        assert 0 < (connection.scalar(text("select count(*) from golden where known_to is null")) or 0) < (before or 0)

    with owner.connect() as connection:
        contact = connection.execute(
            text(
                """select system, type, key from source_record c where kind = 'contact' and not deleted
                   and not exists (  -- nobody else may mention the person, or the erasure is refused
                       select 1 from source_record o where o.rec_id <> c.rec_id and o.row::text ilike any(array[
                           '%' || (c.row->>'first_name') || '%', '%' || (c.row->>'last_name') || '%',
                           '%' || (c.row->>'email') || '%', '%' || (c.row->>'phone') || '%']))
                   order by key limit 1"""
            )
        ).one()
    row = "/".join(contact)
    asked = mdm("erase", "request", "--row", row, "--reason", "letter of 3 May", "--by", "ada", "--json")
    assert '"open"' in asked
    assert '"carried_out"' in mdm("erase", "approve", "1", "--by", "ben", "--json")
    mdm("verify")


def test_proofs_trials_and_rematching_work_as_the_ordinary_owner(owner_url: str, tmp_path: Path) -> None:
    """They make scratch schemas, copy into them, and drop them: all of that is an owner's right."""
    mdm = mdm_on(owner_url)

    def printed(*arguments: object) -> Any:
        return orjson.loads(mdm(*arguments, "--json"))

    replayed = printed("verify", "--shuffle", "--restarts", 1, "--seed", 3)
    assert (replayed["agrees"], replayed["kills"]) == (True, 1)
    mdm("match", "run")
    mdm("match", "run", "--apply")

    rank = ("rank: [{best_supported: name}", "rank: [longest, {best_supported: name}")
    for kind, change in (("survivorship", rank), ("matching", ("  match: 1.5", "  match: 2.5"))):
        document = mdm("releases", "document", kind, "customer")
        changed = tmp_path / f"{kind}.yaml"
        changed.write_text(document.replace(*change, 1))
        assert changed.read_text() != document
        number = printed("releases", "draft", kind, "customer", changed, "--title", "try", "--actor", "anna")[
            "release_id"
        ]
        run = printed("releases", "simulate", number, "--actor", "anna")
        assert run["report"]["entities"] > 0
        mdm("releases", "approve", number, "--actor", "ben", "--simulation", run["run_id"])
        mdm("releases", "activate", number, "--actor", "clara")
        mdm("releases", "roll-back", number, "--reason", "only a test", "--actor", "clara")
    mdm("verify")
    assert "Row security is in place" in mdm("access", "show")


def test_a_user_who_may_create_roles_needs_no_administrator(tmp_path: Path) -> None:
    options = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
    with EmbeddedServer(tmp_path / "pg", options=options) as fresh:
        administer(
            fresh,
            "create role hub_owner login nosuperuser nobypassrls createrole nocreatedb",
            "create database hub owner hub_owner",
        )
        mdm = mdm_on(url_of(fresh, "hub_owner", "hub"))
        mdm("db", "upgrade")
        assert "Row security is in place" in mdm("access", "show")
        engine = make_engine(url_of(fresh, "hub_owner", "hub"))
        with scoped(engine, Scope(regions=frozenset({"AMER"}))).connect() as connection:
            assert connection.scalar(text("select current_user")) == ROLE
        engine.dispose()
