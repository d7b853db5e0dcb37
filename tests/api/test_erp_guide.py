"""Every request that docs/erp.md shows is one that works."""

import re
from pathlib import Path
from string import Template

import pytest
from fastapi.testclient import TestClient

from mdm.hub.projections import shipped_targets
from mdm.model.ids import Domain
from tests.api.rows import ACME, ERP_ACME, HubRows
from tests.api.test_guide import run
from tests.pages import take

_GUIDE = (Path(__file__).parents[2] / "docs" / "erp.md").read_text(encoding="utf-8")
_REQUESTS = take("erp", "curl")


@pytest.mark.parametrize("request_line", _REQUESTS)
def test_every_request_of_the_guide_works(rows: HubRows, erp: TestClient, request_line: str) -> None:
    vat = {"type": "vat", "country": "NL", "value": "NL169963937B05", "normal": "NL169963937B05", "state": "valid"}
    address = {**ACME["address"], "postal_code": "9721 XA"}
    acme = rows.golden(Domain.CUSTOMER, ERP_ACME, {**ACME, "address": address, "identifiers": [vat]})
    known = {"HUB": "", "KEY": erp.headers["authorization"].removeprefix("Bearer "), "CUSTOMER": acme}
    stranger = TestClient(erp.app, follow_redirects=False)

    answer = run(stranger, Template(request_line.replace(r"\$", "$$")).substitute(known))

    assert answer.status_code == 200, (request_line, answer.text)


def test_the_guide_shows_enough() -> None:
    assert len(_REQUESTS) >= 18


def test_the_guide_names_the_objects_that_there_are() -> None:
    for target in shipped_targets().values():
        for form in target:
            assert f"`{form.object}`" in _GUIDE, form.object


def test_the_guide_explains_every_finding() -> None:
    source = (Path(__file__).parents[2] / "mdm" / "projection" / "project.py").read_text(encoding="utf-8")

    for code in set(re.findall(r'"(ERP_[A-Z_]+)"', source)):
        assert f"`{code}`" in _GUIDE, code
