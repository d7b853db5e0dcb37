"""Every command that the pages for rules authors, ERP onboarding, access, privacy and security show is carried out, in
the order of the page, on the sample world; documents that they show are read."""

import gzip
import re
import shlex
from pathlib import Path

import orjson
import pytest
import yaml
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from mdm.access import Role
from mdm.access.scope import read_scope
from mdm.cli.app import app
from mdm.store import api_keys

pytestmark = pytest.mark.sample_world

_DOCS = Path(__file__).parents[3] / "docs"
_LEI = '"LEI","Entity.LegalName","Entity.LegalAddress.Country","Entity.EntityStatus","Registration.RegistrationStatus"'
#: Nobody listens there: whether a number is registered stays unknown, and the command says so.
_NO_VIES = "http://127.0.0.1:9/"
#: Slow, and carried out elsewhere: `test_ordinary_owner.py`, `tests/unit/mdm/hub/test_own_models.py`.
_ELSEWHERE = ("match evaluate", "match run", "releases check matching")


def shown(page: str, language: str = "sh") -> str:
    """The examples of a page in one language."""
    document = (_DOCS / f"{page}.md").read_text(encoding="utf-8")
    return "".join(re.findall(rf"^```{language}\n(.*?)^```", document, re.MULTILINE | re.DOTALL))


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
    Path("sdn.csv").write_text('306,"SOMEBODY","entity","CUBA",-0-,-0-,-0-,-0-,-0-,-0-,-0-,-0-\n')
    return {
        "cus_…": customer,
        "crm account A1 erp business_partner 0001000001": shlex.join(pair),
        "4f7k2m9q1x": key.split("_")[1],
    }


def carry_out(page: str, names: dict[str, str], url: str) -> list[str]:
    """Type every command of a page; what each printed."""
    printed = []
    for line in re.findall(r"^mdm (.*?)(?:\s+#.*)?$", shown(page), re.MULTILINE):
        if line.startswith(_ELSEWHERE):
            continue
        for name, value in names.items():
            line = line.replace(name, value)
        typed, _, into = line.partition(" > ")
        result = CliRunner().invoke(app, shlex.split(typed), env={"MDM_DATABASE_URL": url})
        blocked = "--require-ready" in line or "--candidate" in line
        assert result.exit_code in ((0, 1) if blocked else (0,)), (line, result.output, result.exception)
        assert result.exception is None or isinstance(result.exception, SystemExit), (line, result.exception)
        if into:
            # What the pages leave to the reader's editor.
            document = result.stdout.replace("rank: [{best_supported: name}", "rank: [longest, {best_supported: name}")
            Path(into.strip()).write_text(document, encoding="utf-8")
        printed.append(f"{typed}\n{result.stdout}")
    return printed


@pytest.mark.parametrize(
    ("page", "commands", "last"),
    [
        ("onboarding", 11, "taken up again"),
        ("privacy", 3, "carried_out|carried out|erased"),
        ("releases", 7, "rolled back"),
        ("rules", 5, "bits"),
        ("security", 1, "agree|same"),
    ],
)
def test_every_command_of_the_page_works(
    page: str, commands: int, last: str, names: dict[str, str], fresh_database_url: str
) -> None:
    printed = carry_out(page, names, fresh_database_url)

    assert len(printed) == commands
    assert re.search(last, printed[-1]), printed[-1]


def test_every_command_about_access_works_and_the_plan_of_the_page_places(
    names: dict[str, str], fresh_database_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("plan.yaml").write_text(shown("access", "yaml"), encoding="utf-8")
    monkeypatch.setenv("MDM_PLACEMENT", "plan.yaml")

    printed = carry_out("access", names, fresh_database_url)

    assert len(printed) == 10
    assert "Row security is in place" in printed[-1]
    with engine.connect() as connection:
        placed = set(connection.scalars(text("select distinct unnest(regions) from placement")))
    assert placed & set(yaml.safe_load(shown("access", "yaml"))["regions"][0]["labels"])
    claim = orjson.loads(shown("access", "json"))["mdm_scope"]
    assert read_scope(claim).regions == frozenset({"EMEA"})
