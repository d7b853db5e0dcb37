"""Every command that README and the pages about feeds (streams, governance, console) show is carried out, on a hub that
has read the CRM's accounts and contacts. A capture in a file stands in for a broker; timers run as they are written."""

import csv
import gzip
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from mdm.bootstrap import make_engine
from mdm.hub.process import Pipeline
from mdm.intake.catalogue import SHIPPED_SOURCES, Catalogue
from tests.integration.cli.conftest import Command, printed
from tests.integration.cli.test_pages import carry_out
from tests.integration.hub.conftest import Feed, world_messages
from tests.integration.hub.rows import take_in
from tests.integration.hub.test_exceptions import changed
from tests.integration.hub.test_oversize import overflow
from tests.integration.hub.test_reconcile_source import lay_out
from tests.pages import ROOT, take

_README, _STREAMS, _GOVERNANCE, _CONSOLE = (
    take(page, "mdm") for page in ("README", "streams", "governance", "console/README")
)
(_CAPTURE,) = take("README", "json")
(_UNITS,) = take("streams", "ini")
(_CRONTAB,) = take("streams", "cron")
_SOURCE = "postgresql://mdm_reader@crm-db/crm"
_WORLD = ROOT / "mdm" / "demo" / "world" / "events"
_CONTRACT = SHIPPED_SOURCES / "crm" / "contract.odcs.yaml"


@pytest.fixture
def names(
    engine: Engine,
    feed: Feed,
    catalogue: Catalogue,
    empty_database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """What the pages leave to their reader, in the folder where commands are typed."""
    monkeypatch.chdir(tmp_path)
    crm = [each for each in world_messages() if each.place.topic in ("crm.public.account", "crm.public.contact")]
    first = next(each for each in crm if each.place.topic == "crm.public.account")
    # A column that the contract does not know, in one message.
    feed([changed(first, 1, twitter__c="@acme"), *(each for each in crm if each is not first)])
    lay_out(empty_database_url, engine, catalogue)
    for folder in ("captures", "contracts"):
        Path(folder).mkdir()
    # What came once is a duplicate the next time: the line of the page stands where nothing came yet.
    Path("captures", "mine.jsonl").write_text(_CAPTURE.replace('"offset": 17', '"offset": 1000'), encoding="utf-8")
    document = _CONTRACT.read_text(encoding="utf-8")
    column = "{name: website, logicalType: string, physicalType: varchar(255)}"
    assert column in document
    Path("old.odcs.yaml").write_text(document, encoding="utf-8")
    Path("contracts", "contract.odcs.yaml").write_text(document, encoding="utf-8")
    new = document.replace(column, column.replace("255", "300"), 1)
    Path("new.odcs.yaml").write_text(new.replace("version: 1.0.0", "version: 1.1.0", 1), encoding="utf-8")
    lines = gzip.decompress((_WORLD / "crm.jsonl.gz").read_bytes()).splitlines(keepends=True)
    Path("capture.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[:50])))
    shutil.copytree(SHIPPED_SOURCES, "my")
    return {
        "mdm/demo/refused": str(ROOT / "mdm" / "demo" / "refused"),
        "kafka://broker1:9092,broker2:9092": "file:captures/",
        "rebuild --feed kafka://broker:9092": "rebuild --feed file:captures/",
        "run --feed kafka://broker:9092": "run --feed file:capture.jsonl.gz",
        "kafka://broker:9092": "file:captures/",
        "--metrics-port 9464": "--metrics-port 0",
        "mdm worker calendar": "mdm worker calendar --once",
        # Each kill is a process of its own; one tells as much about the command as five.
        "--restarts 5": "--restarts 1",
        _SOURCE: empty_database_url,
        "postgresql://…": empty_database_url,
    }


def test_every_command_of_the_readme_works(names: dict[str, str], fresh_database_url: str, mdm: Command) -> None:
    told = carry_out(_README, names, fresh_database_url)

    assert "crm.public.account" in told[2], "the line of the page carries nothing, and is told as such"
    assert printed(mdm("status", "--json"))["messages"]["add_up"]


def test_every_command_of_the_page_about_streams_works(
    names: dict[str, str], fresh_database_url: str, mdm: Command
) -> None:
    carry_out(_STREAMS, names, fresh_database_url)

    assert printed(mdm("feeds", "list", "--json"))


def test_every_command_about_governing_feeds_works(
    names: dict[str, str], fresh_database_url: str, pipeline: Pipeline, mdm: Command
) -> None:
    take_in(pipeline, overflow())
    carry_out(_CONSOLE, names, fresh_database_url)
    listed = printed(mdm("exceptions", "list", "--json"))
    letters = [each["name"] for each in listed["dead_letters"]]
    assert len(letters) == 3
    by_code = {each["code"]: each["name"] for each in listed["exceptions"]}
    drift, rows = by_code["COLUMN_ADDED"], by_code["RECORD_WITHOUT_USABLE_KEY"]
    given = by_code["IDENTIFIER_RECYCLED"]
    assert drift not in ("E5", "E9"), "what a name was replaced by is not replaced again"
    assert rows != "E9"
    known = {**names, "D17": letters[0], "E4": drift, "E5": rows, "E9": given}
    before = next(place for place, line in enumerate(_GOVERNANCE) if "--sql" in line) + 1

    # A rebuild from a feed that has little of what the hub holds differs from it, and says so; a hub of one platform
    # does not reach every threshold.
    carry_out(_GOVERNANCE[:before], known, fresh_database_url, ("file:captures/", "scorecard"))
    give_the_owner("query.sql", known[_SOURCE])
    carry_out(_GOVERNANCE[before:], known, fresh_database_url)

    left = printed(mdm("exceptions", "list", "--json"))
    assert drift not in [each["name"] for each in left["exceptions"]]
    assert letters[0] not in [each["name"] for each in left["dead_letters"]]


def give_the_owner(query: str, url: str) -> None:
    """The owner of the source runs the query and sends what it gave."""
    source = make_engine(url)
    with source.connect() as there, Path("result.csv").open("w", newline="") as stream:
        found = there.exec_driver_sql(Path(query).read_text(encoding="utf-8").replace("%", "%%"))
        csv.writer(stream).writerows([tuple(found.keys()), *found.all()])
    source.dispose()


def test_the_timer_of_the_page_compares_the_tables(names: dict[str, str], fresh_database_url: str) -> None:
    service, timer = re.split(r"^# /etc/systemd/.*\.(?:service|timer)\n", _UNITS, flags=re.MULTILINE)[1:]

    assert settings(timer, "OnCalendar") == ["*-*-* 02:30"]
    assert settings(service, "SuccessExitStatus") == ["1"]
    commands = [line.removeprefix("/usr/local/bin/") for line in settings(service, "ExecStart")]
    told = carry_out(commands, names, fresh_database_url)
    assert len(told) == 2
    assert all("They hold the same." in each for each in told), told


def settings(unit: str, name: str) -> list[str]:
    """What a unit file says under a name, which may stand there several times."""
    return re.findall(rf"^{name}=(.*)$", unit, re.MULTILINE)


def test_the_crontab_of_the_page_compares_the_tables(
    names: dict[str, str], fresh_database_url: str, tmp_path: Path
) -> None:
    (line,) = [each for each in _CRONTAB.splitlines() if each and not each.startswith("#")]
    *when, user, command = line.split(maxsplit=6)
    (tmp_path / "hub.env").write_text(f"export MDM_DATABASE_URL={shlex.quote(fresh_database_url)}\n")

    assert (" ".join(when), user) == ("30 2 * * *", "mdm")
    script = command.replace("/etc/mdm/hub.env", "./hub.env").replace(_SOURCE, shlex.quote(names[_SOURCE]))
    told = subprocess.run(
        ["sh", "-c", script],
        cwd=tmp_path,
        env={"PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stdout.count("They hold the same.")) == (0, 2), (told.stdout, told.stderr)
