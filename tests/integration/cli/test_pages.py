"""Every command that the pages for rules authors, ERP onboarding, access, privacy and security show is carried out, in
the order of the page, on the sample world; documents that they show are read."""

import csv
import gzip
import re
import shlex
from collections.abc import Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path

import orjson
import pytest
import yaml
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from matching.model import load_model
from mdm.access import Role
from mdm.access.scope import read_scope
from mdm.cli.app import app
from mdm.store import api_keys
from tests.pages import take

pytestmark = pytest.mark.sample_world

_LEI = '"LEI","Entity.LegalName","Entity.LegalAddress.Country","Entity.EntityStatus","Registration.RegistrationStatus"'
#: Nobody listens there: whether a number is registered stays unknown, and the command says so.
_NO_VIES = "http://127.0.0.1:9/"
#: Each page with its commands.
_PAGES = {page: take(page, "mdm") for page in ("access", "onboarding", "privacy", "releases", "rules", "security")}
(_PLAN,) = take("access", "yaml")
(_CLAIM,) = take("access", "json")
#: The truth of a world: its file, and the column that names the entity.
_TRUTH = {
    "customer": ("customers.csv", "entity_id"),
    "contract": ("contracts.csv", "contract_id"),
    "product": ("products.csv", "product_id"),
}


@pytest.fixture
def names(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the pages leave to their reader: ids, a key, and files in the folder where commands are typed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MDM_VIES_URL", _NO_VIES)
    with engine.begin() as connection:
        customer = connection.scalar(
            text("select min(entity_id) from golden where domain = 'customer' and known_to is null")
        )
        pair = connection.execute(
            text("select a.system, a.type, a.key, b.system, b.type, b.key from link l "
                 "join source_record a on a.rec_id = l.a join source_record b on b.rec_id = l.b limit 1")
        ).one()  # fmt: skip
        key = api_keys.issue_key(connection, Role.ERP, "the page")
    Path("candidate.json").write_bytes(orjson.dumps({"values": {"name": "Nordlicht Fabelwerk GmbH", "country": "DE"}}))
    Path("lei2.csv.zip").write_bytes(gzip.compress(f"{_LEI}\n529900T8BM49AURSDO55,A,DE,ACTIVE,ISSUED\n".encode()))
    for name, head in (
        ("rr", "Relationship.StartNode.NodeID,Relationship.EndNode.NodeID,Relationship.RelationshipType"),
        ("repex", "LEI,Exception.Category,Exception.Reason.1"),
    ):
        Path(f"{name}.csv.zip").write_bytes(gzip.compress(f"{head}\n".encode()))
    Path("product.yaml").write_text(load_model("product").texts[0], encoding="utf-8")
    world_of(engine, Path("world"))
    Path("anchors").mkdir()
    Path("sdn.csv").write_text('306,"SOMEBODY","entity","CUBA",-0-,-0-,-0-,-0-,-0-,-0-,-0-,-0-\n')
    return {
        "cus_…": customer,
        "crm account A1 erp business_partner 0001000001": shlex.join(pair),
        "4f7k2m9q1x": key.split("_")[1],
        "--world DIR": "--world world",
        "/mnt/anchors": "anchors",
    }


def world_of(engine: Engine, folder: Path) -> None:
    """A world of known truth: some events, and the entities that the hub found in all of them."""
    (folder / "events").mkdir(parents=True)
    (folder / "truth").mkdir()
    with as_file(files("mdm.demo") / "world") as world:
        crm = gzip.decompress((world / "events" / "crm.jsonl.gz").read_bytes()).splitlines(keepends=True)
    (folder / "events" / "crm.jsonl.gz").write_bytes(gzip.compress(b"".join(crm[:300])))
    with engine.connect() as connection:
        found = connection.execute(
            text("select domain, system, type, key, entity_id from crosswalk join source_record using (rec_id)")
        ).all()
    for domain, (file, column) in _TRUTH.items():
        with (folder / "truth" / file).open("w", newline="") as stream:
            lines = csv.writer(stream)
            lines.writerow(("platform", "table", "source_key", column, "valid_from", "valid_to"))
            lines.writerows((*row[1:], "2020-01-01", "") for row in found if row[0] == domain)


def carry_out(commands: Sequence[str], names: Mapping[str, str], url: str, fails: Sequence[str] = ()) -> list[str]:
    """Type the commands, with names of the hub at `url` for those of the page; what each printed.

    Commands with one of the words of `fails` may end with exit code 1, as their page says.
    """
    printed = []
    for line in commands:
        for name, value in names.items():
            line = line.replace(name, value)
        typed, _, into = line.partition("#")[0].partition(" > ")
        words = shlex.split(typed)
        result = CliRunner().invoke(app, words[1:], env={"MDM_DATABASE_URL": url})
        assert result.exception is None or isinstance(result.exception, SystemExit), (line, result.exception)
        assert result.exit_code in ((0, 1) if set(fails) & set(words) else (0,)), (line, result.output)
        if into:
            # What the pages leave to the reader's editor.
            document = result.stdout.replace("rank: [{best_supported: name}", "rank: [longest, {best_supported: name}")
            Path(into.strip()).write_text(document, encoding="utf-8")
        printed.append(result.stdout)
    return printed


@pytest.mark.parametrize(
    ("page", "last"),
    [
        ("onboarding", "taken up again"),
        ("privacy", "carried_out|carried out|erased"),
        ("releases", "rolled back"),
        ("rules", "bits"),
        ("security", "the chain holds"),
    ],
)
def test_every_command_of_the_page_works(page: str, last: str, names: dict[str, str], fresh_database_url: str) -> None:
    printed = carry_out(_PAGES[page], names, fresh_database_url, ("--require-ready", "--candidate"))

    assert re.search(last, printed[-1]), printed[-1]


def test_every_command_about_access_works_and_the_plan_of_the_page_places(
    names: dict[str, str], fresh_database_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("plan.yaml").write_text(_PLAN, encoding="utf-8")
    monkeypatch.setenv("MDM_PLACEMENT", "plan.yaml")

    printed = carry_out(_PAGES["access"], names, fresh_database_url)

    assert "Row security is in place" in printed[-1]
    with engine.connect() as connection:
        placed = set(connection.scalars(text("select distinct unnest(regions) from placement")))
    assert placed & set(yaml.safe_load(_PLAN)["regions"][0]["labels"])
    claim = orjson.loads(_CLAIM)["mdm_scope"]
    assert read_scope(claim).regions == frozenset({"EMEA"})
