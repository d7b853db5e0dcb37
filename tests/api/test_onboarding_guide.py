"""Every request and every command that docs/onboarding.md shows is one that works."""

import re
from pathlib import Path
from string import Template

from fastapi.testclient import TestClient
from typer.testing import CliRunner

from mdm.cli.app import app
from mdm.model.ids import Domain
from mdm.onboarding.ruleset import shipped_ruleset
from tests.api.rows import ACME, ERP_ACME, HubRows
from tests.api.test_guide import run
from tests.pages import take

_GUIDE = (Path(__file__).parents[2] / "docs" / "onboarding.md").read_text(encoding="utf-8")
_REQUESTS = take("onboarding", "curl")


def test_every_request_of_the_guide_works(rows: HubRows, erp: TestClient) -> None:
    vat = {"type": "vat", "country": "NL", "value": "NL169963937B05", "normal": "NL169963937B05", "state": "valid"}
    acme = rows.golden(Domain.CUSTOMER, ERP_ACME, {**ACME, "identifiers": [vat]})
    known = {"HUB": "", "KEY": erp.headers["authorization"].removeprefix("Bearer "), "CUSTOMER": acme}
    stranger = TestClient(erp.app, follow_redirects=False)

    assert len(_REQUESTS) == 8
    for request in _REQUESTS:
        answer = run(stranger, Template(request).substitute(known))
        assert answer.status_code == 200, (request, answer.text)


def test_every_command_of_the_guide_exists_with_its_options() -> None:
    commands = re.findall(r"mdm onboarding ([a-z-]+)(.*)$", _GUIDE, re.MULTILINE)

    assert {name for name, _ in commands} >= {"validate", "codes", "load-gleif", "ask-vies", "confirm", "recheck"}
    for name, rest in commands:
        help_text = CliRunner().invoke(app, ["onboarding", name, "--help"]).stdout
        assert all(option in help_text for option in re.findall(r"--[a-z-]+", rest)), (name, rest, help_text)


def test_the_guide_lists_the_checks_that_there_are() -> None:
    listed = [int(number) for number in re.findall(r"^\| (\d+) \|", _GUIDE, re.MULTILINE)]

    assert listed == sorted(shipped_ruleset().checks)
