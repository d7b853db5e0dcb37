"""The scorecard of governance on the console, what is behind each measure, and the report."""

import re
from collections.abc import Callable
from time import sleep

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.console.scorecard import BEHIND, floored
from mdm.access import Role, Scope
from mdm.core.scorecard import TITLES, Counted, Threshold, score, stricter
from mdm.store import api_keys
from tests.api.conftest import As
from tests.api.test_console_contract_proposals import Enter, enter  # noqa: F401 - a fixture
from tests.api.test_vendor_role import proposed
from tests.harness.tampering import tamper

PAGE = "/console/governance"


def added_up(browser: TestClient, address: str) -> str:
    """A page once its figures are there, which on a busy machine they are not at once."""
    for _ in range(600):
        page = browser.get(address).text
        if 'id="figures-wait"' not in page:
            return page
        sleep(0.1)
    raise AssertionError(f"The figures of {address} never came.")


def test_every_measure_stands_there_with_its_threshold_and_leads_to_what_it_counts(steward: TestClient) -> None:
    page = added_up(steward, PAGE)

    assert set(BEHIND) == set(TITLES)
    for name, title in TITLES.items():
        assert title in page
        assert f'href="{BEHIND[name].address}"' in page, name
        assert steward.get(BEHIND[name].address).status_code == 200, name


def test_a_place_on_a_page_that_a_measure_leads_to_is_there(
    world: Callable[[Role], TestClient], ingested: Engine
) -> None:
    browser = TestClient(world(Role.ADMIN).app, follow_redirects=True)
    with ingested.begin() as connection:
        key = api_keys.issue_key(connection, Role.ADMIN, "test of places")
    token = browser.get("/console/sign-in").text.partition('name="csrf" value="')[2].partition('"')[0]
    browser.post("/console/sign-in", data={"csrf": token, "key": key, "next": "/console/"})

    for address, _ in BEHIND.values():
        path, _, place = address.partition("#")
        assert not place or f'id="{place}"' in browser.get(path).text, address


def test_what_is_missed_comes_first_with_whose_move_it_is(engine: Engine, client_of: As, steward: TestClient) -> None:
    proposed(client_of(Role.VENDOR))  # which the audit says
    tamper(engine, "update audit set subject = 'another' where seq = 1")

    page = added_up(steward, PAGE)

    assert "1 threshold missed" in page
    states = re.findall(r"</svg>(missed|reached|nothing yet)</span>", page)
    assert (states[0], states.count("missed"), len(states)) == ("missed", 1, len(TITLES))
    first = page.partition("missed</span></td>")[2].partition("</tr>")[0]
    assert TITLES["audited"] in first
    assert "integration-operations" in first
    assert "<code>mdm verify</code>" in first


def test_a_hub_without_anything_fails_nothing_and_says_so(steward: TestClient) -> None:
    page = added_up(steward, PAGE)

    assert "every threshold is reached" in page
    assert "nothing yet" in page
    assert "the others have nothing to measure yet, and fail nothing" in page


def test_none_may_be_below_what_is_asked_for() -> None:
    names = ("owned", "valid")
    thresholds = {name: Threshold(0.9, "us", "mend it") for name in names}
    card = score("1", thresholds, {"owned": Counted(100, 100), "valid": Counted(95, 100)})

    assert [each.passed for each in card.scores] == [True, True]
    assert [(each.least, each.passed) for each in stricter(card, 0.98).scores] == [(0.98, True), (0.98, False)]
    assert stricter(card, 0.5) == card, "a threshold is never laid lower"


@pytest.mark.parametrize(
    ("share", "told"), [(0.97999, "97.9"), (0.98, "98"), (1.0, "100"), (0.99999, "99.9"), (0.0, "0")]
)
def test_a_share_is_rounded_down(share: float, told: str) -> None:
    assert floored(share) == f"{told}\u202f%"


def test_a_percentage_beyond_a_hundred_is_refused(steward: TestClient) -> None:
    assert steward.get(f"{PAGE}?min=101").status_code == 422
    assert steward.get(f"{PAGE}?min=100").status_code == 200


def test_the_report_is_looked_at_or_kept(steward: TestClient) -> None:
    shown, kept = steward.get(f"{PAGE}/report.html"), steward.get(f"{PAGE}/report.html?save=yes")

    assert "How this hub is governed" in shown.text
    assert "<h2>Gates</h2>" in shown.text
    assert shown.headers["content-disposition"].startswith("inline")
    assert kept.headers["content-disposition"].startswith('attachment; filename="governance-')
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy

    told = steward.get(f"{PAGE}/report.json")
    assert told.headers["content-disposition"].endswith('.json"')
    assert {each["name"] for each in told.json()["scorecard"]["measures"]} == set(TITLES)


def test_who_reaches_a_part_of_the_hub_or_may_not_look_is_refused(
    engine: Engine,
    keys: dict[Role, str],
    enter: Enter,  # noqa: F811
) -> None:
    assert enter(Role.VIEWER).get(PAGE).status_code == 403
    with engine.begin() as connection:
        api_keys.limit_key(connection, keys[Role.STEWARD].split("_")[1], Scope(sources=frozenset({"crm"})))
    limited = enter(Role.STEWARD)

    for address in (PAGE, f"{PAGE}/report.html", f"{PAGE}/report.json", "/console/mapping/revenue"):
        refused = limited.get(address)
        assert (refused.status_code, "about the whole hub" in refused.text) == (403, True), address
    assert f'href="{PAGE}"' not in limited.get("/console/help").text
