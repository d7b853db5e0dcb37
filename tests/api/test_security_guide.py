"""What docs/security.md shows and promises is so."""

import re
from pathlib import Path
from string import Template

from fastapi.testclient import TestClient

from api.edge import HEADERS
from mdm.model.ids import Domain
from tests.api.rows import ACME, ERP_ACME, HubRows
from tests.api.test_guide import run
from tests.pages import take

_PAGE = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
_REQUESTS = [re.split(r"\s{2,}# ", line) for line in take("security", "curl")]


def test_every_request_of_the_page_answers_as_it_says(rows: HubRows, erp: TestClient, reader: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, ERP_ACME, ACME | {"payment_terms": "Z060"})
    keys = [each.headers["authorization"].removeprefix("Bearer ") for each in (erp, reader)]
    known = {"HUB": "", "KEY": keys[0], "READER": keys[1], "CUSTOMER": acme}
    stranger = TestClient(erp.app, follow_redirects=False)

    assert len(_REQUESTS) == 5
    for request, *said in _REQUESTS:
        says = "".join(said)
        answer = run(stranger, Template(request.replace(r"\$", "$$")).substitute(known))
        assert answer.status_code == (403 if says == "403" else 200), (request, answer.text)
        if "masked" in says:
            assert answer.json()["masked"][:2] == ["emails", "identifiers"]


def test_the_page_names_every_header_that_every_answer_has(erp: TestClient) -> None:
    answer = erp.get("/livez")

    for name in HEADERS:
        assert f"`{name}`" in _PAGE, name
        assert name in answer.headers


def test_pages_that_the_page_leads_to_exist() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", _PAGE):
        assert (Path(__file__).parents[2] / "docs" / link).exists(), link
