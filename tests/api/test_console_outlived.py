"""A form that outlives its session is kept and shown; only our own pages are believed."""

from fastapi import FastAPI
from fastapi.testclient import TestClient

from mdm.access import FORMER_STEWARD, Role
from mdm.model.ids import Domain
from tests.api.rows import ACME, CRM_ACME, HubRows
from tests.api.test_console import form_token, sign_in


def test_what_was_written_outlives_the_session_and_is_sent_only_when_somebody_says_so(
    rows: HubRows, app: FastAPI, keys: dict[Role, str]
) -> None:
    erp = CRM_ACME._replace(system="erp", type="business_partner")
    for key in (CRM_ACME, erp):
        rows.golden(Domain.CUSTOMER, key, ACME)
    rows.task(CRM_ACME, erp, 3.0)
    browser = TestClient(app, headers={"origin": "http://testserver"})
    sign_in(browser, keys[FORMER_STEWARD])
    written = {"text": "asked <both>\nby phone", "csrf": form_token(browser.get("/console/help").text)}
    browser.cookies.clear()  # the session ends while somebody writes

    kept = browser.post("/console/reviews/1/comment?who=mine", data=written)

    assert kept.status_code == 401
    assert "nothing was carried out" in kept.text
    assert 'action="/console/reviews/1/comment?who=mine"' in kept.text
    assert "asked &lt;both&gt;\nby phone</textarea>" in kept.text
    sign_in(browser, keys[Role.SENIOR_STEWARD])
    asked = browser.post("/console/reviews/1/comment?who=mine", data=written)
    assert asked.status_code == 403
    assert "asked &lt;both&gt;" in asked.text
    assert "asked &lt;both&gt;" not in browser.get("/console/reviews/1").text, "nothing is sent by itself"
    browser.post("/console/reviews/1/comment", data=written | {"csrf": form_token(asked.text.partition("<main")[2])})
    assert "asked &lt;both&gt;" in browser.get("/console/reviews/1").text


def test_another_site_puts_no_words_on_our_pages(app: FastAPI, steward: TestClient) -> None:
    browser = TestClient(app, follow_redirects=False)
    for headers in (
        {"sec-fetch-site": "cross-site", "origin": "http://testserver"},
        {"origin": "https://evil.example"},
        {},
    ):
        for visitor in (browser, steward):
            answer = visitor.post("/console/reviews/1/decide", data={"reason": "Call 555"}, headers=headers)
            assert answer.status_code in (303, 403)
            assert "Call 555" not in answer.text
