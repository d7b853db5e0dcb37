"""History on three axes, through change events that really went through the hub."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.app import ApiOptions, create_app
from api.schemas.records import Difference, Lineage
from mdm.access import Role
from mdm.core.rules import Rules
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules, remember_rules
from mdm.intake.catalogue import Catalogue, load_catalogue
from mdm.model.events import Message, Place
from mdm.store import accounts, api_keys

_DAY = timedelta(days=1)
_START = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)


class Story:
    """A hub whose clock is set by hand, told by events of one ERP business partner."""

    def __init__(self, engine: Engine, catalogue: Catalogue, rules: Rules) -> None:
        self.engine = engine
        self.now = _START
        self._offset = 0
        self._pipeline = Pipeline(engine, self.clock, catalogue, rules)
        with engine.begin() as connection:
            key = api_keys.issue_key(connection, Role.ERP, "test")
        self.client = TestClient(
            create_app(self, ApiOptions(log=lambda *_, **__: None)), headers={"X-API-Key": key}, follow_redirects=False
        )

    def clock(self) -> datetime:
        return self.now

    def event(self, *, lsn: int, made: datetime, heard: datetime, **columns: Any) -> None:
        """ERP says that its partner changed at `made`; the hub hears of it at `heard`."""
        self.now = heard
        self._offset += 1
        row = {"bp_number": "0001000001", "country": "NL", **columns}
        source = {
            "connector": "postgresql", "name": "erp", "db": "erp", "schema": "public", "table": "business_partner",
            "ts_ms": int(made.timestamp() * 1000), "lsn": lsn, "txId": lsn, "sequence": f'["{lsn}","{lsn}"]',
            "snapshot": "false", "version": "3.0",
        }  # fmt: skip
        payload = {"before": None, "after": row, "source": source, "op": "u", "ts_ms": source["ts_ms"]}
        place = Place("erp.public.business_partner", 0, self._offset)
        process(
            self._pipeline,
            "test",
            [Message(place, 0, (), json.dumps({"bp_number": row["bp_number"]}).encode(), json.dumps(payload).encode())],
        )

    @property
    def id(self) -> str:
        found: str = self.client.get("/v1/crosswalk/erp/business_partner/0001000001").json()["entity_id"]
        return found

    def name(self, **look: datetime | str) -> str | int:
        params = {axis: each.isoformat() if isinstance(each, datetime) else each for axis, each in look.items()}
        answer = self.client.get(f"/v1/customers/{self.id}", params=params)
        return answer.json()["name"] if answer.status_code == 200 else answer.status_code


@pytest.fixture(scope="module")
def released() -> tuple[Catalogue, Rules]:
    catalogue = load_catalogue(None)
    return catalogue, load_rules(catalogue)


@pytest.fixture
def story(engine: Engine, released: tuple[Catalogue, Rules]) -> Story:
    remember_rules(engine, released[1])
    return Story(engine, *released)


@pytest.fixture
def renamed(story: Story) -> Story:
    """Known on day 10 and 20; made in the business on day 1 and 15."""
    story.event(lsn=100, made=_START + _DAY, heard=_START + 10 * _DAY, legal_name="Acme Anvils B.V.")
    story.event(lsn=200, made=_START + 15 * _DAY, heard=_START + 20 * _DAY, legal_name="Borealis Anvils B.V.")
    return story


def test_what_is_valid_and_what_was_known_are_two_questions(renamed: Story) -> None:
    assert renamed.name() == "Borealis Anvils B.V."
    assert renamed.name(known_at=_START + 17 * _DAY) == "Acme Anvils B.V."
    assert renamed.name(valid_at=_START + 17 * _DAY) == "Borealis Anvils B.V."
    assert renamed.name(valid_at=_START + 12 * _DAY) == "Acme Anvils B.V."
    assert renamed.name(valid_at=_START + 17 * _DAY, known_at=_START + 17 * _DAY) == "Acme Anvils B.V."


def test_nothing_was_valid_before_the_first_change(renamed: Story) -> None:
    answer = renamed.client.get(f"/v1/customers/{renamed.id}", params={"valid_at": _START.isoformat()})

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-valid-then")


def test_a_late_event_changes_what_was_valid_and_never_what_was_known(renamed: Story) -> None:
    before = [renamed.name(known_at=_START + day * _DAY) for day in (11, 17, 25)]

    renamed.event(lsn=150, made=_START + 5 * _DAY, heard=_START + 30 * _DAY, legal_name="Acme Forge B.V.")

    assert renamed.name(valid_at=_START + 7 * _DAY) == "Acme Forge B.V."
    assert renamed.name(valid_at=_START + 7 * _DAY, known_at=_START + 25 * _DAY) == "Acme Anvils B.V."
    assert renamed.name() == "Borealis Anvils B.V."
    assert [renamed.name(known_at=_START + day * _DAY) for day in (11, 17, 25)] == before


def signed_in(story: Story) -> None:
    with story.engine.begin() as connection:
        password = accounts.create_account(connection, "ada", "Ada", Role.STEWARD)
    form = story.client.get("/console/sign-in").text.partition('name="csrf" value="')[2].partition('"')[0]
    story.client.post("/console/sign-in", data={"csrf": form, "username": "ada", "password": password})


def test_the_console_slides_through_days_and_versions(renamed: Story) -> None:
    signed_in(renamed)
    first, last = ((_START + days * _DAY - datetime(1970, 1, 1, tzinfo=UTC)).days for days in (1, 20))

    def shown(**look: int) -> str:
        return renamed.client.get(f"/console/customers/{renamed.id}/history", params=look).text

    assert f'name="day" type="range" min="{first}" max="{last}" value="{last}"' in shown()
    assert 'name="a" type="range" min="1" max="2" value="1"' in shown(a=1, b=2)
    then = shown(day=first + 12)
    assert f'max="{last}" value="{first + 12}"' in then
    assert "it was Acme Anvils B.V." in then, "at the end of the day before the name changed"
    assert "it was Borealis Anvils B.V." in shown(day=first + 14)
    assert "none of its source rows existed" in shown(day=first - 1)
    assert "it was Borealis Anvils B.V." in shown(day=last + 900), "what is to come is as it is now"


def test_the_console_goes_back_on_both_clocks(renamed: Story) -> None:
    signed_in(renamed)

    def told(**look: datetime) -> str:
        params = {axis: each.strftime("%Y-%m-%dT%H:%M:%S") for axis, each in look.items()}
        page = renamed.client.get(f"/console/customers/{renamed.id}/history", params=params).text
        return page.partition("data-outcome>")[2].partition("</div>")[0]

    then = _START + 17 * _DAY
    assert "Borealis Anvils B.V." in told(valid_at=then)
    assert "Acme Anvils B.V." in told(known_at=then)
    assert "Acme Anvils B.V." in told(valid_at=then, known_at=then)
    assert "none of its source rows existed" in told(valid_at=_START)
    assert "did not know this record" in told(known_at=_START)


def test_a_computed_record_says_for_which_instant_and_from_which_rows(renamed: Story) -> None:
    asked = (_START + 12 * _DAY).isoformat()

    body = renamed.client.get(f"/v1/customers/{renamed.id}", params={"valid_at": asked}).json()

    assert body["as_of"]["records"] == [{"system": "erp", "type": "business_partner", "key": "0001000001"}]
    assert body["as_of"]["valid_at"] == asked.replace("+00:00", "Z")


def test_another_released_rule_set_may_choose(renamed: Story, released: tuple[Catalogue, Rules]) -> None:
    rules = released[1].rulesets
    former = next(iter(rules.values()))
    known = renamed.client.get("/v1/rules").json()["items"]

    assert {(each["domain"], each["fingerprint"]) for each in known} == {
        (domain.value, each.fingerprint) for domain, each in rules.items()
    }
    answer = renamed.client.get(f"/v1/rules/{former.domain}/{former.fingerprint}")
    assert answer.json()["document"] == former.document
    current = next(each["fingerprint"] for each in known if each["domain"] == "customer")
    assert renamed.name(rules=current) == "Borealis Anvils B.V."
    assert renamed.name(rules="0" * 16) == 404


def test_a_rule_set_of_the_past_is_read_from_the_store(story: Story, released: tuple[Catalogue, Rules]) -> None:
    from dataclasses import replace
    from pathlib import Path

    from mdm.model.ids import Domain
    from survivorship.ruleset import parse_ruleset

    text = released[1].rulesets[Domain.CUSTOMER].document.replace('version: "1.0.0"', 'version: "0.9.0"')
    text = text.replace("display: [name", "display: [country, name")
    past = parse_ruleset("customer", text, Path("past"))
    remember_rules(story.engine, replace(released[1], rulesets={**released[1].rulesets, Domain.CUSTOMER: past}))
    story.event(lsn=100, made=_START, heard=_START + _DAY, legal_name="Acme Anvils B.V.")

    assert story.name(rules=past.fingerprint) == "NL"
    assert story.name() == "Acme Anvils B.V."


def test_versions_and_their_difference(renamed: Story) -> None:
    address = f"/v1/customers/{renamed.id}"

    first = renamed.client.get(f"{address}/_history/1").json()
    difference = renamed.client.get(f"{address}/_diff", params={"from": 1, "to": 2}).json()

    assert first["name"] == "Acme Anvils B.V."
    assert first["known_to"] == "2025-03-21T12:00:00Z"
    Difference.model_validate(difference)
    changes = {each["attribute"]: (each["before"], each["after"]) for each in difference["changed"]}
    assert changes["name"] == ("Acme Anvils B.V.", "Borealis Anvils B.V.")
    assert renamed.client.get(f"{address}/_history/3").status_code == 404


def test_the_former_address_of_the_history_says_that_it_will_end(renamed: Story) -> None:
    new = renamed.client.get(f"/v1/customers/{renamed.id}/_history")
    former = renamed.client.get(f"/v1/customers/{renamed.id}/history")

    assert former.json() == new.json()
    assert "deprecation" not in new.headers
    assert former.headers["deprecation"].startswith("@")
    assert former.headers["sunset"].endswith("GMT")
    assert f'</v1/customers/{renamed.id}/_history>; rel="successor-version"' in former.headers["link"]


def test_lineage_names_the_place_in_the_feed_the_rules_and_the_decision(renamed: Story) -> None:
    body = renamed.client.get(f"/v1/customers/{renamed.id}/lineage").json()

    Lineage.model_validate(body)
    name = body["attributes"]["name"]
    assert (name["topic"], name["partition"], name["offset"], name["lsn"]) == ("erp.public.business_partner", 0, 2, 200)
    assert name["transaction"] is not None
    assert body["rules"]["version"] == "1.0.0"
    assert [each["by"] for each in body["joined"]] == ["founder"]


Told = Callable[[Sequence[str]], dict[str, Any]]


def test_lineage_tells_how_each_row_came_to_the_record(world: Callable[[Role], TestClient]) -> None:
    client = world(Role.ERP)
    several = [each for each in client.get("/v1/customers?limit=200").json()["items"] if each["sources"] > 2][:10]

    for item in several:
        joined = client.get(f"/v1/customers/{item['id']}/lineage").json()["joined"]

        ties = [each for each in joined if each["by"] == "link"]
        assert len(ties) >= len(joined) - 1, "all rows but a founder's are tied to another one"
        assert all(each["weight"] > 0 and each["model"] for each in ties)
        rows = [tuple(each["with_record"].values()) for each in ties]
        assert all(row not in [tuple(each["record"].values())] for row, each in zip(rows, ties, strict=True))
