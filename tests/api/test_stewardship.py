"""Commands of stewards over HTTP: conditions, keys, previews, masks and refusals."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.app import ApiOptions, create_app
from mdm.access import Role
from mdm.hub.steward import NO_POLICY
from mdm.store import api_keys
from tests.api.conftest import Surroundings
from tests.api.writing import Writer

Client = Callable[[Role], TestClient]


@pytest.fixture
def hub(world_engine: Engine) -> Engine:
    """A copy of the ingested world that a test may change."""
    return world_engine


@pytest.fixture
def client(hub: Engine) -> Client:
    around = Surroundings(hub)
    return clients_of(hub, ApiOptions(log=around.log, policy=NO_POLICY))


@pytest.fixture
def guarded(hub: Engine) -> Client:
    """Clients of a service with the shipped policy of the second person."""
    around = Surroundings(hub)
    return clients_of(hub, ApiOptions(log=around.log))


def clients_of(hub: Engine, options: ApiOptions) -> Client:
    app = create_app(Surroundings(hub), options)

    def of(role: Role) -> TestClient:
        with hub.begin() as connection:
            key = api_keys.issue_key(connection, role, f"test {role}")
        return Writer(app, headers={"X-API-Key": key}, follow_redirects=False)

    return of


@pytest.fixture
def steward(client: Client) -> TestClient:
    return client(Role.STEWARD)


def ask(engine: Engine, query: str, **parameters: Any) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(query), parameters).scalar()


@pytest.fixture
def task(hub: Engine) -> int:
    return int(
        ask(hub, "select task_id from steward_task where status = 'open' and domain = 'customer' "
                 "order by weight desc, task_id limit 1")
    )  # fmt: skip


def test_a_task_is_claimed_looked_at_judged_and_taken_back(steward: TestClient, hub: Engine, task: int) -> None:
    claimed = steward.post(f"/v1/tasks/{task}/claim")
    tag = claimed.headers["etag"]
    assert claimed.json()["assignee"]

    judged = steward.post(
        f"/v1/tasks/{task}/judgement",
        json={"verdict": "same", "reason": "one VAT number"},
        headers={"If-Match": tag, "Idempotency-Key": "k1"},
    )
    again = steward.post(
        f"/v1/tasks/{task}/judgement",
        json={"verdict": "same", "reason": "one VAT number"},
        headers={"If-Match": tag, "Idempotency-Key": "k1"},
    )
    undone = steward.post(f"/v1/decisions/{judged.json()['decision_id']}/undo", json={"reason": "wrong button"})

    assert judged.status_code == 200, judged.text
    assert again.json() == judged.json() | {"repeated": True}
    assert undone.json()["kind"] == "undo"
    assert ask(hub, "select count(*) from judgement where superseded_at is null") == 0
    listed = steward.get("/v1/decisions", params={"limit": 1}).json()
    assert listed["items"][0]["undoes"] == judged.json()["decision_id"]
    older = steward.get("/v1/decisions", params={"limit": 1, "cursor": listed["next"]}).json()
    assert older["items"][0]["undone_by"] == listed["items"][0]["decision_id"]


def copied(client: TestClient) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Versions of customers as a reader of the feed keeps them that looks at `version` alone; and decisions it met."""
    copy: dict[str, int] = {}
    decided: list[dict[str, Any]] = []
    asked: dict[str, Any] = {"limit": 200, "domain": "customer"}
    while True:
        body = client.get("/v1/changes", params=asked).json()
        for change in body["changes"]:
            decided += [change["payload"]] if change["type"] == "customer.decided" else []
            if change["version"] is None:
                copy.pop(change["entity_id"], None)
            else:
                copy[change["entity_id"]] = max(change["version"], copy.get(change["entity_id"], 0))
        if not body["more"]:
            return copy, decided
        asked["since"] = body["next"]


def test_readers_of_the_feed_hear_decisions_and_their_copy_stays_the_hubs(
    client: Client, hub: Engine, task: int
) -> None:
    steward, erp = client(Role.STEWARD), client(Role.ERP_READER)
    for verdict in ("not_same", "same"):
        judged = steward.post(
            f"/v1/tasks/{task}/judgement",
            json={"verdict": verdict, "reason": "Anna Snargle says so"},
            headers={"If-Match": "*"},
        ).json()
        steward.post(f"/v1/decisions/{judged['decision_id']}/undo", json={"reason": "wrong button"})

    copy, decided = copied(erp)

    with hub.connect() as connection:
        live = connection.execute(
            text("select entity_id, version from golden where domain = 'customer' and known_to is null")
        )
        assert copy == {row[0]: row[1] for row in live}
    assert [each["kind"] for each in decided] == ["not_same"] * 2 + ["undo"] * 2 + ["same"] * 2 + ["undo"] * 2
    assert "Snargle" not in str(decided)


def test_who_looked_at_something_else_is_told(client: Client, task: int) -> None:
    first, second = client(Role.STEWARD), client(Role.ADMIN)
    tag = second.get(f"/v1/tasks/{task}").headers["etag"]
    first.post(f"/v1/tasks/{task}/claim")

    late = second.post(f"/v1/tasks/{task}/judgement", json={"verdict": "same"}, headers={"If-Match": tag})
    taken = second.post(f"/v1/tasks/{task}/claim")

    assert (late.status_code, late.json()["type"]) == (412, "/problems/precondition-failed")
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/conflict")


def test_tasks_are_found_page_by_page_and_worked_on_with_the_tags_of_the_list(
    steward: TestClient, hub: Engine, task: int
) -> None:
    pages, cursor = [], None
    while cursor is not None or not pages:
        page = steward.get("/v1/tasks", params={"limit": 10} | ({"cursor": cursor} if cursor else {})).json()
        pages.append(page["items"])
        cursor = page["next"]
    found = [each for items in pages for each in items]

    assert len(pages) > 1
    assert sorted(each["task_id"] for each in found) == sorted(
        ask(hub, "select array_agg(task_id) from steward_task where status = 'open'")
    )
    whole = steward.get("/v1/tasks?limit=200").json()["items"]
    assert [each["task_id"] for each in found] == [each["task_id"] for each in whole]
    assert [each["priority"] for each in whole] == sorted((each["priority"] for each in whole), reverse=True)
    seen = next(each for each in found if each["task_id"] == task)
    one = steward.get(f"/v1/tasks/{task}")
    assert one.headers["etag"] == f'"{seen["token"]}"'
    for name in ("kind", "domain", "weight", "detail", "opened_at"):
        assert one.json()[name] == seen[name]
    assert (one.json()["status"], one.json()["closed_at"]) == ("open", None)
    assert [each["record"] for each in one.json()["sides"]] == [each["record"] for each in seen["sides"]]
    for side in seen["sides"]:
        assert steward.get(f"/v1/customers/{side['entity_id']}").json()["name"] == side["name"]
    claimed = steward.post(f"/v1/tasks/{task}/claim", headers={"If-Match": one.headers["etag"]})
    late = steward.post(f"/v1/tasks/{task}/claim", headers={"If-Match": f'"{seen["token"]}"'})
    assert (claimed.status_code, late.status_code) == (200, 412)


def test_the_list_of_tasks_is_narrowed_as_the_queue_is(steward: TestClient, hub: Engine, task: int) -> None:
    def numbers(query: str) -> set[int]:
        answer = steward.get(f"/v1/tasks?limit=200{query}")
        assert answer.status_code == 200, answer.text
        return {each["task_id"] for each in answer.json()["items"]}

    every = numbers("")
    me = steward.post(f"/v1/tasks/{task}/claim").json()["assignee"]
    queued = {each["task_id"]: each for each in steward.get("/v1/tasks?limit=200").json()["items"]}
    mine, rest = queued[task], every - {task}
    platforms = [each["record"]["system"] for each in mine["sides"]]

    assert numbers(f"&assignee={me}") == numbers("&assigned=true") == {task}
    assert numbers("&assigned=false") == rest
    assert numbers("&domain=customer") == {n for n, each in queued.items() if each["domain"] == "customer"}
    assert numbers(f"&kind={mine['kind']}") == {n for n, each in queued.items() if each["kind"] == mine["kind"]}
    assert numbers(f"&weight_from={mine['weight']}") == {
        n for n, each in queued.items() if each["weight"] >= mine["weight"]
    }
    middle = sorted(each["priority"] for each in queued.values())[len(queued) // 2] - 0.01
    assert numbers(f"&priority_from={middle}") == {n for n, each in queued.items() if each["priority"] >= middle}
    assert task in numbers(f"&platforms={'-'.join(platforms)}") & numbers(f"&platforms={'-'.join(platforms[::-1])}")
    assert numbers("&region=EMEA&business_unit=sales") <= numbers("&region=EMEA") <= every
    assert numbers("&due=ok") | numbers("&due=due") | numbers("&due=breached") == every
    assert numbers("&opened_before=2000-01-01T00:00:00Z") == numbers("&amount_from=1e19") == set()

    steward.post(f"/v1/tasks/{task}/snooze", json={"until": "2999-01-01T00:00:00Z"})
    assert (numbers(""), numbers("&state=snoozed"), numbers("&state=open")) == (rest, {task}, every)
    steward.post(f"/v1/tasks/{task}/snooze", json={"until": None})
    steward.post(f"/v1/tasks/{task}/judgement", json={"verdict": "not_same", "reason": "two firms"})
    assert task not in numbers("&state=open")
    closed = steward.get(f"/v1/tasks/{task}").json()
    assert (closed["status"], closed["closed_at"] is None) == ("resolved", False)


@pytest.mark.parametrize(
    "query", ["state=closed", "priority_from=nan", "platforms=crm", "cursor=AAAA", "amount_from=-1"]
)
def test_a_filter_of_tasks_that_means_nothing_is_refused(steward: TestClient, query: str) -> None:
    assert steward.get(f"/v1/tasks?{query}").status_code in (400, 422)


def test_what_others_may_change_is_changed_on_a_condition(steward: TestClient, hub: Engine, task: int) -> None:
    entity_id = ask(hub, "select min(entity_id) from golden where domain = 'customer' and known_to is null")
    pin = {"command": "pin", "entity_id": entity_id, "attribute": "segment", "value": "Key", "reason": "agreed"}
    unconditional = {"If-Match": None}

    for address, body in (
        (f"/v1/tasks/{task}/claim", None),
        (f"/v1/tasks/{task}/judgement", {"verdict": "unsure"}),
        ("/v1/decisions", {"command": "judge_task", "task_id": task, "verdict": "unsure"}),
        ("/v1/decisions", pin),
        ("/v1/decisions", {"command": "merge", "entities": [entity_id, "cus_other"]}),
    ):
        answer = steward.post(address, json=body, headers=unconditional)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["type"]) == (428, "/problems/precondition-required"), address
    assert ask(hub, "select count(*) from decision") == 0
    assert steward.post("/v1/decisions/preview", json=pin, headers=unconditional).status_code == 200  # type: ignore[arg-type]
    # Nothing that this command names has an entity tag.
    answer = steward.post("/v1/decisions", json={"command": "clear", "override_id": 1}, headers={"If-Match": '"3-x"'})
    assert answer.status_code == 412
    undo = steward.post("/v1/decisions/1/undo", headers={"If-Match": '"3-x"'})
    assert (undo.status_code, undo.json()["type"]) == (412, "/problems/precondition-failed"), "not silently ignored"


def test_a_preview_shows_both_records_and_changes_nothing(steward: TestClient, hub: Engine, task: int) -> None:
    before = ask(hub, "select max(batch_id) from golden")

    shown = steward.post("/v1/decisions/preview", json={"command": "judge_task", "task_id": task, "verdict": "same"})

    body = shown.json()
    assert {each["fate"] for each in body["entities"]} >= {"changed", "merged"}
    changed = next(each for each in body["entities"] if each["fate"] == "changed")
    assert set(changed["changed"]) <= changed["before"].keys() | changed["after"].keys()
    assert changed["lineage"].keys() == changed["after"].keys()
    assert ask(hub, "select max(batch_id) from golden") == before
    assert ask(hub, "select count(*) from decision") == 0


def test_a_split_is_made_on_the_version_that_was_looked_at(steward: TestClient, hub: Engine) -> None:
    entity_id = ask(hub, "select entity_id from crosswalk join entity using (entity_id) where domain = 'customer' "
                         "group by 1 order by count(*) desc, 1 limit 1")  # fmt: skip
    tag = steward.get(f"/v1/customers/{entity_id}").headers["etag"]
    rows = steward.get(f"/v1/customers/{entity_id}/sources").json()["items"]
    leaving = [{name: rows[0][name] for name in ("system", "type", "key")}]
    command = {"command": "split", "entity_id": entity_id, "records": leaving, "reason": "another company"}

    weak = steward.post("/v1/decisions/preview", json=command, headers={"If-Match": f"W/{tag}"})
    done = steward.post("/v1/decisions", json=command, headers={"If-Match": f'"0-x", {tag}'})
    late = steward.post("/v1/decisions", json=command, headers={"If-Match": f'"0-x", {tag}'})

    assert weak.status_code == 200, weak.text
    assert done.status_code == 200, done.text
    assert late.status_code == 412


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"command": "merge", "entities": ["cus_x"]}, 422),
        ({"command": "merge", "entities": ["cus_x", "cus_y"]}, 404),
        ({"command": "merge", "entities": ["cus_x"], "entitees": []}, 422),
        ({"command": "dance"}, 422),
        ({"command": "undo", "decision_id": 99}, 404),
        ({"command": "judge_task", "task_id": 10**12, "verdict": "same"}, 404),
        ({"command": "judge_task", "task_id": 10**30, "verdict": "same"}, 422),
        ({"command": "judge_task", "task_id": 1, "verdict": "perhaps"}, 422),
        (
            {
                "command": "judge_pair",
                "verdict": "same",
                "a": {"system": "crm", "type": "account", "key": "?"},
                "b": {"system": "crm", "type": "account", "key": "!"},
            },
            404,
        ),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(steward: TestClient, body: Any, status: int) -> None:
    for address in ("/v1/decisions", "/v1/decisions/preview"):
        answer = steward.post(address, json=body)
        assert answer.status_code == status, answer.text
        assert answer.json()["detail"]


def test_a_key_used_for_another_command_is_refused(steward: TestClient, task: int) -> None:
    for verdict, status in (("unsure", 200), ("same", 422)):
        answer = steward.post(
            f"/v1/tasks/{task}/judgement", json={"verdict": verdict}, headers={"Idempotency-Key": "once"}
        )
        assert answer.status_code == status, answer.text


def test_remarks_and_putting_off(steward: TestClient, task: int) -> None:
    said = steward.post(f"/v1/tasks/{task}/comments", json={"text": "asked the register"})
    off = steward.post(f"/v1/tasks/{task}/snooze", json={"until": "2999-01-01T00:00:00Z"})
    past = steward.post(f"/v1/tasks/{task}/snooze", json={"until": "1999-01-01T00:00:00Z"})
    handed = steward.post(f"/v1/tasks/{task}/assign", json={"assignee": "ben"})
    freed = steward.post(f"/v1/tasks/{task}/release")

    assert [each["text"] for each in steward.get(f"/v1/tasks/{task}/comments").json()["items"]] == [said.json()["text"]]
    assert off.json()["snoozed_until"].startswith("2999")
    assert past.status_code == 422
    assert (handed.json()["assignee"], freed.json()["assignee"]) == ("ben", None)


def test_a_sensitive_value_is_seen_by_nobody_before_a_second_person_agrees(guarded: Client, hub: Engine) -> None:
    anna, ben, erp = guarded(Role.SENIOR_STEWARD), guarded(Role.APPROVER_FINANCE), guarded(Role.ERP)
    entity_id = ask(hub, "select entity_id from entity where domain = 'customer' and status = 'active' limit 1")
    address = f"/v1/customers/{entity_id}"
    before = erp.get(address).content
    views = [f"/v1/erp/{each}/customers/{entity_id}" for each in ("sap", "odoo", "erpnext", "netsuite")]
    views.append(f"/v1/erp/sap/odata/A_BusinessPartner('{entity_id}')")
    pin = {"command": "pin", "entity_id": entity_id, "attribute": "payment_terms", "value": "NT77", "reason": "agreed"}

    proposed = anna.post("/v1/decisions", json=pin).json()
    number = proposed["proposal_id"]

    assert (proposed["status"], proposed["demands"]) == ("proposed", ["sensitive-attribute"])
    assert erp.get(address).content == before
    assert all("NT77" not in erp.get(view).text for view in views)
    filtered = erp.get("/v1/erp/sap/odata/A_BusinessPartner", params={"$filter": "PaymentTerms eq 'NT77'"})
    assert filtered.json()["value"] == []
    assert [each["proposal_id"] for each in ben.get("/v1/approvals").json()["items"]] == [number]
    mine = anna.post(f"/v1/approvals/{number}/approve")
    assert (mine.status_code, mine.json()["type"]) == (403, "/problems/refused")
    digest = ben.get(f"/v1/approvals/{number}/preview").json()["digest"]
    wrong = ben.post(f"/v1/approvals/{number}/approve", json={"digest": "0" * 16})
    assert wrong.status_code == 412
    agreed = ben.post(f"/v1/approvals/{number}/approve", json={"digest": digest, "comment": "seen the contract"})
    assert agreed.json()["status"] == "done", agreed.text
    assert erp.get(address).json()["values"]["payment_terms"] == "NT77"
    assert all("NT77" in erp.get(view).text for view in views)
    lineage = erp.get(f"{address}/lineage").json()["attributes"]["payment_terms"]
    assert (lineage["rule"], lineage["record"]) == ("override", None)
    held = ben.get("/v1/overrides", params={"entity": entity_id}).json()["items"]
    assert [each["attribute"] for each in held] == ["payment_terms"]
    assert ben.get("/v1/approvals", params={"status": "approved"}).json()["items"][0]["decided_by"]


def test_proposals_come_by_what_is_at_stake_page_by_page(guarded: Client, hub: Engine) -> None:
    anna, ben = guarded(Role.STEWARD), guarded(Role.DATA_OWNER)
    entity_id = ask(hub, "select entity_id from entity where domain = 'customer' and status = 'active' limit 1")
    pin = {"command": "pin", "entity_id": entity_id, "attribute": "payment_terms", "value": "NT1", "reason": "x"}
    first = anna.post("/v1/decisions", json=pin).json()["proposal_id"]
    copied = (
        """kind, domain, command, effect, digest, demands, entities, author, author_role, proposed_at, expires_at"""
    )
    with hub.begin() as connection:
        connection.execute(text("update proposal set risk = 2, stake = 0.5"))
        for risk, stake in ((1, 9.0), (3, 0.0), (2, 4.25), (2, 0.5), (3, 1.5)):
            connection.execute(
                text(f"insert into proposal ({copied}, risk, stake) select {copied}, {risk}, {stake} from proposal "
                     f"where proposal_id = {first}")
            )  # fmt: skip

    def paged(**asked: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        page = ben.get("/v1/approvals", params={"limit": 2, **asked}).json()
        while True:
            found += page["items"]
            if page["next"] is None:
                return found
            page = ben.get("/v1/approvals", params={"limit": 2, **asked, "cursor": page["next"]}).json()

    assert [(each["risk"], each["stake"], each["proposal_id"] - first) for each in paged(sort="risk")] == [
        ("high", 1.5, 5), ("high", 0.0, 2), ("elevated", 4.25, 3), ("elevated", 0.5, 4), ("elevated", 0.5, 0),
        ("normal", 9.0, 1),
    ]  # fmt: skip
    assert [each["proposal_id"] - first for each in paged()] == [5, 4, 3, 2, 1, 0]
    mixed = ben.get("/v1/approvals", params={"limit": 2, "sort": "risk"}).json()["next"]
    assert ben.get("/v1/approvals", params={"cursor": mixed}).status_code == 422, "a place in another order"


def test_a_proposal_is_turned_down_or_taken_back(guarded: Client, hub: Engine) -> None:
    anna, ben = guarded(Role.STEWARD), guarded(Role.DATA_OWNER)
    entity_id = ask(hub, "select entity_id from entity where domain = 'customer' and status = 'active' limit 1")
    numbers = [
        anna.post(
            "/v1/decisions",
            json={
                "command": "pin",
                "entity_id": entity_id,
                "attribute": "payment_terms",
                "value": value,
                "reason": "x",
            },
        ).json()["proposal_id"]
        for value in ("NT1", "NT2")
    ]

    assert ben.post(f"/v1/approvals/{numbers[0]}/withdraw").status_code == 403, "it is not theirs"
    assert ben.post(f"/v1/approvals/{numbers[0]}/reject", json={}).status_code == 422
    down = ben.post(f"/v1/approvals/{numbers[0]}/reject", json={"comment": "no contract"}).json()
    back = anna.post(f"/v1/approvals/{numbers[1]}/withdraw").json()

    assert (down["status"], back["status"]) == ("rejected", "withdrawn")
    assert ben.post(f"/v1/approvals/{numbers[1]}/approve").status_code == 409
    assert ben.get("/v1/approvals/999").status_code == 404


def test_a_delegation_is_given_listed_and_taken_back(guarded: Client) -> None:
    anna, ben = guarded(Role.SENIOR_STEWARD), guarded(Role.SENIOR_STEWARD)
    until = "2999-01-01T00:00:00Z"

    given = anna.post("/v1/delegations", json={"to": "ben", "until": until}).json()["delegation_id"]

    assert [each["delegate"] for each in anna.get("/v1/delegations").json()["items"]] == ["ben"]
    assert ben.delete(f"/v1/delegations/{given}").status_code == 403
    assert anna.delete(f"/v1/delegations/{given}").status_code == 204
    assert anna.get("/v1/delegations").json()["items"] == []
    assert anna.post("/v1/delegations", json={"to": "ben", "until": "1999-01-01T00:00:00Z"}).status_code == 422


def test_a_bulk_answer_is_taken_back_by_a_job_that_tells_how_far_it_is(steward: TestClient, hub: Engine) -> None:
    with hub.connect() as connection:
        query = "select task_id from steward_task where status = 'open' order by task_id limit 3"
        tasks = [{"task_id": each} for each in connection.execute(text(query)).scalars()]
    done = steward.post("/v1/bulk-judgements", json={"verdict": "unsure", "reason": "register asked", "tasks": tasks})
    job_id = done.json()["job_id"]

    begun = steward.post(f"/v1/bulk-judgements/{job_id}/undo", headers={"Idempotency-Key": "back"})
    again = steward.post(f"/v1/bulk-judgements/{job_id}/undo", headers={"Idempotency-Key": "back"})

    assert begun.status_code == again.status_code == 202, begun.text
    assert again.json() == begun.json()
    assert (begun.json()["purpose"], begun.json()["of_job"]) == ("take_back", job_id)
    finished = steward.get(begun.headers["location"]).json()
    assert (finished["status"], finished["settled"], finished["outcomes"]) == ("done", 3, {"done": 3})
    assert ask(hub, "select count(*) from decision where undone_by is null and kind <> 'undo'") == 0
    assert steward.post(f"/v1/bulk-judgements/{job_id}/undo").status_code == 409
