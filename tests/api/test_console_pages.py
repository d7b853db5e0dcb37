"""Lists of the console come in pages that together hold everything once."""

import html
import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, insert, text

from mdm.access import Role
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.tables import exception, record_without_key
from tests.api.rows import ACME, NOON, HubRows
from tests.letters import refuse


def pages_of(steward: TestClient, address: str, link: str, item: str) -> list[list[str]]:
    """What each page lists, following the link of this name to the last page."""
    found = []
    while True:
        page = steward.get(address).text
        found.append(re.findall(item, page))
        following = re.search(rf'href="([^"]+)">{link}</a>', page)
        if following is None:
            return found
        query = html.unescape(following.group(1))
        address = query if query.startswith("/") else address.partition("?")[0] + query


@pytest.mark.parametrize(
    ("part", "link", "item", "sizes"),
    [
        ("sources", "Next source rows", r'<a href="/console/trace/crm/account/(S\d+)', [25, 25, 11]),
        ("related", "Next contracts", r'href="/console/contracts/(con_[a-z0-9]+)"', [50, 10]),
        ("related", "Next facts", r"billing invoice (in_\d+)", [50, 10]),
    ],
)
def test_what_belongs_to_a_record_comes_in_pages(
    rows: HubRows, steward: TestClient, part: str, link: str, item: str, sizes: list[int]
) -> None:
    acme = rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "S00"), ACME)
    owner = CrosswalkKey("crm", "account", "S00")
    for number in range(1, 61):
        rows.source(CrosswalkKey("crm", "account", f"S{number:02}"), attributes=ACME, entity_id=acme)
        contract = CrosswalkKey("crm", "contract", f"{number}")
        rows.golden(
            Domain.CONTRACT, contract, {"number": f"{number}", "customer": owner._asdict()},
            references=[("customer", owner)],
        )  # fmt: skip
        rows.source(CrosswalkKey("billing", "invoice", f"in_{number}"), domain=None, references=[("customer", owner)])

    found = pages_of(steward, f"/console/customers/{acme}/{part}", link, item)

    assert [len(set(page)) for page in found] == sizes
    assert len({each for page in found for each in page}) == sum(sizes)


def refused(engine: Engine, number: int, *, reason: str, key: str | None = None) -> None:
    """A refused message; messages with the same reason are of one group."""
    about = {"system": "crm", "type": "account", "row_key": key, "value": b"{}"}
    why = {"code": "missing_key", "reason": reason, "alike": reason}
    refuse(engine, {"topic": "crm.public.account", "offset": number, **about, **why})


def test_groups_of_refused_messages_come_in_pages_and_are_counted_as_a_whole(
    engine: Engine, steward: TestClient
) -> None:
    for number in range(120):
        refused(engine, number, reason=f"kind {chr(97 + number // 26)}{chr(97 + number % 26)}")
    for number in range(120, 123):
        refused(engine, number, reason="kind aa")

    found = pages_of(steward, "/console/exceptions", "Next groups", r"<a [^>]*groups/\d+\">(kind [a-z]+)<")

    assert [len(page) for page in found] == [50, 50, 20]
    assert len({each for page in found for each in page}) == 120
    assert found[0][0] == "kind aa", "the largest group comes first"
    assert "123 in 120 groups" in steward.get("/console/exceptions").text


def test_groups_say_what_is_at_stake_and_can_be_ordered_by_it(
    rows: HubRows, engine: Engine, steward: TestClient
) -> None:
    rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "A1"), ACME)
    rows.golden(
        Domain.CONTRACT, CrosswalkKey("crm", "contract", "C1"),
        {"status": "active", "value": "90000", "currency": "EUR"},
        references=[("customer", CrosswalkKey("crm", "account", "A1"))],
    )  # fmt: skip
    for number in range(3):
        refused(engine, number, reason="poor", key=f"unseen {number}")
    refused(engine, 3, reason="rich", key="A1")
    refused(engine, 4, reason="rich", key="unseen")

    def groups(sort: str) -> list[str]:
        page = steward.get(f"/console/exceptions?sort={sort}").text
        return re.findall(r'groups/\d+">(poor|rich)<', page)

    assert groups("priority") == groups("money") == ["rich", "poor"]
    assert groups("messages") == ["poor", "rich"]
    page = steward.get("/console/exceptions").text
    assert "90\u202f000 EUR" in page
    assert "1 of 2 rows are known" in page
    assert "90\u202f000 EUR in open invoices and running contracts" in page, "the priority explains itself"
    assert "not known" in page, "and nobody claims that nothing hangs on rows that the hub never saw"
    assert "90\u202f000 EUR" in steward.get("/console/exceptions/letters/4").text
    assert "5 refused messages · 90\u202f000 EUR behind them" in steward.get("/console/").text
    assert steward.get("/console/exceptions?sort=colour").status_code == 422


@pytest.mark.parametrize(
    ("link", "item"),
    [
        ("Next messages", r"exceptions/letters/(\d+)"),
        ("Next rows", r"<tr data-item><td><a class=\"code\" href=\"/console/trace/crm/account/(S\d+)"),
    ],
)
def test_what_is_open_about_a_record_comes_in_pages(
    rows: HubRows, engine: Engine, steward: TestClient, link: str, item: str
) -> None:
    acme = rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "S00"), ACME)
    for number in range(1, 61):
        key = f"S{number:02}"
        rows.source(CrosswalkKey("crm", "account", key), attributes=ACME, entity_id=acme)
        refused(engine, number, reason="no number", key=key)
    with engine.begin() as connection:
        connection.execute(
            text("""update source_record set rejected = '{"vat_number": "no number"}' where key <> 'S00'""")
        )

    found = pages_of(steward, f"/console/customers/{acme}/exceptions", link, item)

    assert [len(set(page)) for page in found] == [50, 10]
    assert len({each for page in found for each in page}) == 60


def test_questions_about_a_record_come_in_pages(rows: HubRows, steward: TestClient) -> None:
    own = CrosswalkKey("crm", "account", "S00")
    acme = rows.golden(Domain.CUSTOMER, own, ACME)
    for number in range(1, 61):
        other = CrosswalkKey("crm", "account", f"S{number:02}")
        rows.golden(Domain.CUSTOMER, other, ACME | {"name": f"Anvil works {number}"})
        rows.task(own, other, 3.0)

    found = pages_of(
        steward, f"/console/customers/{acme}/exceptions", "Next questions", r'href="/console/reviews/(\d+)">Anvil'
    )

    assert [len(set(page)) for page in found] == [50, 10]
    assert len({each for page in found for each in page}) == 60


def test_findings_about_a_record_come_in_pages(rows: HubRows, steward: TestClient) -> None:
    own = CrosswalkKey("crm", "account", "S00")
    acme = rows.golden(Domain.CUSTOMER, own, ACME)
    for number in range(1, 61):
        contract = CrosswalkKey("crm", "contract", f"CT-{number:02}")
        rows.golden(
            Domain.CONTRACT, contract,
            {"number": f"CT-{number:02}", "customer": own._asdict(), "status": "active", "value": "1200.00",
             "currency": "EUR", "start_date": "2025-01-01", "end_date": "2027-12-31"},
            references=[("customer", own)],
        )  # fmt: skip
    steward.get("/console/reconciliation")

    found = pages_of(steward, f"/console/customers/{acme}/exceptions", "Next findings", r"(CT-\d+)")

    assert [len(set(page)) for page in found] == [50, 10]
    assert len({each for page in found for each in page}) == 60


def test_differences_from_contracts_come_in_pages(engine: Engine, steward: TestClient) -> None:
    with engine.begin() as connection:
        for number in range(120):
            connection.execute(
                insert(exception).values(
                    question=f"column {number}", kind="drift", code="unknown_column", system="crm", type="account",
                    detail=f"The column extra_{number:03} is not in the contract.", owner="Sales",
                    place=f"crm.public.account/0/{number}", last_seen=NOON,
                )
            )  # fmt: skip

    found = pages_of(steward, "/console/exceptions", "Next differences", r"The column (extra_\d+)")

    assert [len(page) for page in found] == [100, 20]
    assert len({each for page in found for each in page}) == 120, "also those that were last seen at the same instant"


def test_a_steward_leaves_a_large_replay_and_comes_back_to_it(
    engine: Engine, app: FastAPI, keys: dict[Role, str]
) -> None:
    for number in range(60):
        refused(engine, number, reason="no key")
    browser, other = (entered(app, keys[role]) for role in (Role.STEWARD, Role.SENIOR_STEWARD))
    page = browser.get("/console/exceptions/groups/1").text
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token is not None

    begun = browser.post("/console/exceptions/groups/1/replay", data={"csrf": token.group(1)}, follow_redirects=False)

    job = begun.headers["location"]
    assert job.startswith("/console/replay/")
    assert "60 of 60" in browser.get(job).text
    assert f'href="{job}"' in browser.get("/console/exceptions").text, "he finds it again where he began it"
    assert 'href="/console/replay"' not in browser.get(job).text
    assert other.get(job).status_code == 403, "somebody else's job is for those who operate"
    assert browser.get("/console/replay").status_code == 403


def test_proposals_come_in_pages_the_gravest_first(engine: Engine, steward: TestClient) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                """insert into proposal (kind, domain, command, effect, digest, demands, entities, author, author_role,
                       proposed_at, expires_at, risk, stake)
                   select 'merge', 'customer', jsonb_build_object('n', n), '{}', 'd', '[]', '{}', 'anna', 'steward',
                       now(), now() + interval '1 day', 1 + n % 3, n % 7 from generate_series(1, 120) n"""
            )
        )

    found = pages_of(steward, "/console/approvals", "Next", r'href="/console/approvals/(\d+)"')
    newest = pages_of(steward, "/console/approvals?sort=newest", "Older", r'href="/console/approvals/(\d+)"')

    numbers = [int(each) for page in found for each in page]
    assert [len(page) for page in found] == [len(page) for page in newest] == [50, 50, 20]
    assert numbers == sorted(range(1, 121), key=lambda n: (1 + n % 3, n % 7, n), reverse=True)
    assert [int(each) for page in newest for each in page] == list(range(120, 0, -1))


def test_groups_and_differences_are_taken_handed_over_and_put_down(
    engine: Engine, app: FastAPI, keys: dict[Role, str]
) -> None:
    refused(engine, 1, reason="no key")
    refused(engine, 2, reason="no name")
    with engine.begin() as connection:
        drift = connection.scalar(
            insert(exception).returning(exception.c.exception_id).values(
                question="q", kind="drift", code="unknown_column", detail="A column is not in the contract.",
                owner="Sales", place="crm.public.account/0/1", last_seen=NOON,
            )
        )  # fmt: skip
    ada, bob = (entered(app, keys[role]) for role in (Role.STEWARD, Role.SENIOR_STEWARD))

    def act(browser: TestClient, address: str, what: str, **fields: str) -> int:
        token = re.search(r'name="csrf" value="([^"]+)"', browser.get("/console/exceptions/groups/1").text)
        assert token is not None
        sent = browser.post(f"{address}/{what}", data={"csrf": token.group(1), **fields})
        return sent.status_code

    for address in ("/console/exceptions/groups/1", f"/console/exceptions/drift/{drift}"):
        assert act(ada, address, "take") == 200
        assert act(bob, address, "take") == 409, "somebody has it"
    assert act(ada, f"/console/exceptions/drift/{drift}", "release") == 200
    assert act(ada, f"/console/exceptions/drift/{drift}", "assign", assignee="") == 409
    assert act(ada, f"/console/exceptions/drift/{drift}", "take") == 200
    mine = ada.get("/console/exceptions?who=mine").text
    assert ("no key" in mine, "no name" in mine, "A column is not" in mine) == (True, False, True)
    home = ada.get("/console/").text
    assert (
        '<a href="/console/exceptions?who=mine">1 refused message and 1 other exception that you look after</a>' in home
    )
    assert "look after" not in bob.get("/console/").text
    assert "no key" not in bob.get("/console/exceptions?who=unassigned").text
    assert act(bob, "/console/exceptions/groups/1", "assign", assignee="Bob") == 200
    assert "user:bob" in stored(engine)
    assert "no key" not in ada.get("/console/exceptions?who=mine").text
    assert act(ada, "/console/exceptions/groups/1", "release") == 200
    assert "no key" in bob.get("/console/exceptions?who=unassigned").text
    assert act(ada, "/console/exceptions/groups/1", "discard", reason="a test row") == 200, "and it is told"


def test_several_messages_are_discarded_when_a_second_person_agrees(
    engine: Engine, app: FastAPI, keys: dict[Role, str]
) -> None:
    for number in range(2):
        refused(engine, number, reason="no key")
    ada, bob = (entered(app, keys[role]) for role in (Role.STEWARD, Role.SENIOR_STEWARD))

    def act(browser: TestClient, address: str, **fields: str) -> tuple[int, str]:
        csrf = re.search(r'name="csrf" value="([^"]+)"', browser.get("/console/help").text)
        assert csrf is not None
        sent = browser.post(address, data={"csrf": csrf.group(1), **fields})
        return sent.status_code, sent.text

    asked, page = act(ada, "/console/exceptions/groups/2/discard", reason="test rows")
    assert asked == 200
    assert "Proposed as number 1" in page
    assert "proposal 1</a> waits for a second person" in ada.get("/console/exceptions/groups/2").text
    assert "2 messages, these among them" in ada.get("/console/exceptions/letters/1").text
    assert "Discard refused messages" in bob.get("/console/approvals").text
    shown = bob.get("/console/approvals/1").text
    assert "2 refused messages closed for good" in shown
    digest = re.search(r'name="digest" value="([^"]+)"', shown)
    assert digest is not None
    assert act(ada, "/console/approvals/1/approve")[0] == 403, "whoever proposed does not approve"
    assert act(bob, "/console/approvals/1/approve", digest=digest.group(1))[0] == 200
    assert "No message was refused" in bob.get("/console/exceptions").text

    assert "Open it again" in ada.get("/console/exceptions/letters/1").text
    assert act(ada, "/console/exceptions/letters/1/reopen", reason="one can be mended")[0] == 200
    done, page = act(ada, "/console/exceptions/letters/1/discard", reason="or not")
    assert (done, "Discarded: D1." in page) == (200, True)
    assert act(ada, "/console/decisions/last/undo")[0] == 200
    with engine.connect() as connection:
        states = connection.scalars(text("select status from dead_letter order by dead_letter_id")).all()
    assert states == ["open", "discarded"]


def stored(engine: Engine) -> list[str | None]:
    with engine.connect() as connection:
        return list(connection.scalars(text("select assignee from dead_letter order by dead_letter_id")))


def entered(app: FastAPI, key: str) -> TestClient:
    browser = TestClient(app, raise_server_exceptions=False)
    token = browser.get("/console/sign-in").text.partition('name="csrf" value="')[2].partition('"')[0]
    browser.post("/console/sign-in", data={"csrf": token, "key": key, "next": "/console/"})
    return browser


def test_the_rows_of_an_exception_about_a_table_are_told_some_at_a_time(
    engine: Engine, app: FastAPI, keys: dict[Role, str]
) -> None:
    with engine.begin() as connection:
        number = connection.scalar(
            insert(exception).returning(exception.c.exception_id).values(
                question="oversize:customer:records:crm:account", kind="oversize", code="RECORD_WITHOUT_USABLE_KEY",
                type="customer", detail="120 rows of crm account say nothing", owner="customer stewards", place="",
                seen=120, last_seen=NOON,
            )
        )  # fmt: skip
        connection.execute(
            insert(record_without_key),
            [
                {"rec_id": each, "domain": "customer", "system": "crm", "type": table, "key": f"A{each:03}"}
                for each, table in [*((each, "account") for each in range(1, 121)), (121, "lead")]
            ],
        )
    ada = entered(app, keys[Role.STEWARD])
    address = f"/console/exceptions/drift/{number}/records"

    assert f'href="{address}"' in ada.get("/console/exceptions").text
    pages = []
    while address:
        shown = ada.get(address).text
        pages.append(re.findall(r'href="/console/trace/crm/account/(A\d+)"', shown))
        following = re.search(r'href="(\?rows=[^"]+)">Next rows', shown)
        address = address.split("?")[0] + following.group(1) if following else ""
    assert [len(each) for each in pages] == [100, 20]
    assert [each for part in pages for each in part] == [f"A{each:03}" for each in range(1, 121)]

    given: list[str] = []
    query: dict[str, str] = {}
    while True:
        body = ada.get(
            f"/v1/exceptions/{number}/records", params={"limit": "50", **query},
            headers={"X-API-Key": keys[Role.STEWARD]},
        ).json()  # fmt: skip
        given += [each["key"] for each in body["items"]]
        if body["next"] is None:
            break
        query = {"cursor": body["next"]}
    assert given == [f"A{each:03}" for each in range(1, 121)]
    missing = ada.get("/v1/exceptions/99/records", headers={"X-API-Key": keys[Role.STEWARD]})
    assert (missing.status_code, ada.get("/console/exceptions/drift/99/records").status_code) == (404, 404)
