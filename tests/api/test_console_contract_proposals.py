"""Proposed data contracts on the console: listed, shown with what they would change, and answered by somebody else."""

import re
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from mdm.access import Role, Scope
from mdm.store import api_keys
from tests.api.conftest import As
from tests.api.test_vendor_role import CRM, PROPOSALS, WIDER, proposed
from tests.api.writing import Writer

PAGE = "/console/schemas/proposals"
#: A column less that a mapping reads.
BROKEN = "".join(line for line in CRM.splitlines(keepends=True) if "name: segment__c" not in line).replace(
    "version: 1.0.0", "version: 2.0.0", 1
)
Enter = Callable[[Role], TestClient]


@pytest.fixture
def enter(app: FastAPI, keys: dict[Role, str]) -> Enter:
    """A browser that is signed in with a role."""

    def entered(role: Role) -> TestClient:
        browser = TestClient(app, follow_redirects=True, raise_server_exceptions=False)
        token = token_of(browser.get("/console/sign-in").text)
        browser.post("/console/sign-in", data={"csrf": token, "key": keys[role], "next": "/console/"})
        return browser

    return entered


def token_of(page: str) -> str:
    return page.partition('name="csrf" value="')[2].partition('"')[0]


def answer(browser: TestClient, number: int, what: str, comment: str = "seen by both teams") -> tuple[int, str]:
    """Send the form of a proposal, as its page would."""
    token = token_of(browser.get("/console/help").text)
    sent = browser.post(f"{PAGE}/{number}/{what}", data={"csrf": token, "comment": comment})
    return sent.status_code, sent.text


def states(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("select status, reason from contract_proposal"))]


def test_nothing_waits_and_the_page_says_how_something_comes(enter: Enter) -> None:
    page = enter(Role.DATA_OWNER).get(PAGE).text

    assert "No contract waits for an answer" in page
    assert "with a key of the role <code>vendor</code>" in page


def test_a_proposal_says_whose_it_is_and_that_it_breaks_readers(app: FastAPI, engine: Engine, enter: Enter) -> None:
    with engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.VENDOR, "maker of the CRM", Scope(sources=frozenset({"crm"})))
    made = proposed(Writer(app, headers={"authorization": f"Bearer {key}"}), BROKEN)
    assert made.status_code == 201, made.text

    owner = enter(Role.DATA_OWNER)
    listed, shown = owner.get(PAGE).text, owner.get(f"{PAGE}/1").text

    for page in (listed, shown):
        assert "maker of the CRM" in page
        assert "breaks readers" in page
        assert "1.0.0 → 2.0.0" in page
    assert re.search(r"segment__c</td>.*?COLUMN_REMOVED.*?>major<.*?<strong>Segment</strong>", shown, re.DOTALL)
    assert "The hub could not read by it." in shown
    assert "crm/account.yaml" in shown
    assert "<del>" in shown, "the lines that go are marked"
    assert "1 wait" in owner.get("/console/schemas").text
    assert "1 proposed data contract waits" in owner.get("/console/approvals").text


def test_a_column_more_breaks_nobody(client_of: As, enter: Enter) -> None:
    proposed(client_of(Role.VENDOR))

    page = enter(Role.DATA_OWNER).get(f"{PAGE}/1").text

    assert "readers may ignore it" in page
    assert "The hub can read by it" in page
    assert "breaks readers" not in page


def test_a_data_owner_approves_with_a_reason_and_is_told_what_follows(
    client_of: As, enter: Enter, engine: Engine
) -> None:
    proposed(client_of(Role.VENDOR))
    owner = enter(Role.DATA_OWNER)

    status, refused = answer(owner, 1, "approve", " ")
    assert (status, "Give a reason" in refused, states(engine)) == (422, True, [("proposed", "")])

    status, page = answer(owner, 1, "approve")
    assert (status, "Contract proposal 1 is approved." in page) == (200, True)
    assert "mdm contracts take-over 1 --sources FOLDER" in page
    assert states(engine) == [("approved", "seen by both teams")]
    assert "seen by both teams" in owner.get(f"{PAGE}?status=approved").text
    assert answer(owner, 1, "reject")[0] == 409, "what was decided is decided"


def test_a_proposal_is_turned_down_with_a_reason(client_of: As, enter: Enter, engine: Engine) -> None:
    proposed(client_of(Role.VENDOR))

    assert answer(enter(Role.DATA_OWNER), 1, "reject", "segments are ours")[0] == 200

    assert states(engine) == [("rejected", "segments are ours")]


def test_nobody_answers_their_own_and_takes_it_back_instead(enter: Enter, engine: Engine) -> None:
    owner, other = enter(Role.DATA_OWNER), enter(Role.ADMIN)
    token = token_of(owner.get(f"{PAGE}/new").text)
    sent = {"csrf": token, "title": "faxes again", "document": WIDER.replace("\n", "\r\n"), "system": "crm"}
    made = owner.post(f"{PAGE}/new", data=sent)
    assert "Contract proposal 1 waits for somebody else." in made.text
    assert "Nobody decides about a contract that they proposed." in made.text
    assert f'action="{PAGE}/1/approve"' not in made.text

    assert [answer(owner, 1, what)[0] for what in ("approve", "reject")] == [403, 403]
    assert answer(other, 1, "withdraw")[0] == 403, "only who proposed it takes it back"
    assert states(engine) == [("proposed", "")]
    assert answer(owner, 1, "withdraw", "too early")[0] == 200
    assert states(engine) == [("withdrawn", "too early")]


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.RULE_AUTHOR])
def test_who_proposes_and_does_not_decide_sees_why(client_of: As, enter: Enter, engine: Engine, role: Role) -> None:
    proposed(client_of(Role.VENDOR))
    browser = enter(role)

    page = browser.get(f"{PAGE}/1").text

    assert "Your roles do not include this: approve or reject releases and data contracts" in page
    assert 'name="comment"' not in page
    assert answer(browser, 1, "approve")[0] == 403
    assert states(engine) == [("proposed", "")]


@pytest.mark.parametrize("role", [Role.STEWARD, Role.AUDITOR, Role.VIEWER])
def test_whom_the_api_refuses_the_page_refuses_and_no_link_leads_there(client_of: As, enter: Enter, role: Role) -> None:
    proposed(client_of(Role.VENDOR))
    browser = enter(role)

    assert client_of(role).get(PROPOSALS).status_code == browser.get(PAGE).status_code == 403
    assert PAGE not in browser.get("/console/schemas").text


def test_what_is_wrong_with_a_document_is_told_beside_what_was_written(enter: Enter, engine: Engine) -> None:
    owner = enter(Role.DATA_OWNER)
    page = owner.get(f"{PAGE}/new?system=crm").text
    assert "id: crm-change-events" in page, "it starts from the contract in force"

    wrong = BROKEN.replace("version: 2.0.0", "version: 1.0.1", 1)
    sent = {"csrf": token_of(page), "title": "smaller than it is", "document": wrong, "system": "crm"}
    refused = owner.post(f"{PAGE}/new", data=sent)

    assert refused.status_code == 422
    assert "a patch step, and the changes need a major step" in refused.text
    assert 'value="smaller than it is"' in refused.text
    assert "version: 1.0.1" in refused.text
    assert states(engine) == []


def test_a_document_far_longer_than_other_forms_is_taken(enter: Enter, engine: Engine) -> None:
    owner = enter(Role.DATA_OWNER)
    long = WIDER + "".join(f"# {number} é ü\n" for number in range(10_000))
    sent = {"csrf": token_of(owner.get(f"{PAGE}/new").text), "title": "long", "document": long, "system": "crm"}

    assert owner.post(f"{PAGE}/new", data=sent).status_code == 200

    assert states(engine) == [("proposed", "")]


def test_a_form_of_another_session_answers_nothing(client_of: As, enter: Enter, engine: Engine) -> None:
    proposed(client_of(Role.VENDOR))
    browser, other = enter(Role.DATA_OWNER), enter(Role.ADMIN)

    sent = browser.post(
        f"{PAGE}/1/approve", data={"csrf": token_of(other.get("/console/help").text), "comment": "mine"}
    )

    assert (sent.status_code, states(engine)) == (403, [("proposed", "")])


def test_proposals_come_in_pages(engine: Engine, enter: Enter) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                """insert into contract_proposal (system, version, base, document, fingerprint, title, report, status,
                       author, proposed_at, reason)
                   select 'crm', '1.1.0', '1.0.0', 'd', 'f' || n, 't' || n,
                       '{"warnings": [], "changes": [], "needed": "none", "taken": "minor"}', 'proposed', 'ada', now(),
                       '' from generate_series(1, 60) n"""
            )
        )
    browser = enter(Role.DATA_OWNER)

    first = browser.get(PAGE).text
    following = re.search(r'href="(\?status=proposed&amp;before=\d+)">Older</a>', first)
    assert following is not None
    second = browser.get(PAGE + following.group(1).replace("&amp;", "&")).text

    numbers = [re.findall(rf'href="{PAGE}/(\d+)"', page) for page in (first, second)]
    assert [list(map(int, each)) for each in numbers] == [list(range(60, 10, -1)), list(range(10, 0, -1))]
    assert "Older" not in second
    shown = browser.get(f"{PAGE}/1")
    assert (shown.status_code, "does not read the document any more" in shown.text) == (200, True)
