"""Taking apart, overriding, time travel, approvals, refused messages: each by keyboard, asserted in the database."""

import json
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

from api.console import exceptions
from mdm.clock import system_clock
from mdm.core.four_eyes import Policy
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from mdm.model.events import Message, Place
from tests.e2e.browsing import Keyboard
from tests.e2e.conftest import SignIn
from tests.e2e.test_reviewing import memberships, rows
from tests.harness.tampering import tamper
from tests.integration.hub.conftest import world_messages


@pytest.fixture
def pipeline(world: Engine) -> Pipeline:
    catalogue = load_catalogue(None)
    return Pipeline(world, system_clock, catalogue, load_rules(catalogue))


def customer_of_many(engine: Engine) -> str:
    found: str = rows(
        engine,
        """select entity_id from crosswalk join source_record using (rec_id) where domain = 'customer'
           group by entity_id having count(*) >= 3 order by count(*) desc, entity_id limit 1""",
    )[0][0]
    return found


def audited(engine: Engine, action: str) -> int:
    return int(rows(engine, "select count(*) from audit where action like :action", action=f"%{action}%")[0][0])


def test_a_record_is_split_off_for_ever_and_the_split_is_taken_back(ada: Keyboard, world: Engine) -> None:
    customer, before = customer_of_many(world), memberships(world)
    ada.page.goto(f"/console/customers/{customer}")
    ada.press("s")
    ada.press("j", "x")
    leaving = ada.page.locator("tr.current input[name=leave]").get_attribute("value") or ""
    ada.press("p")
    expect(ada.page.get_by_role("heading", name="Nothing has been changed")).to_be_visible()
    assert memberships(world) == before

    ada.press("m")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("Split")

    system, type_, key = leaving.split(":", 2)
    query = "select entity_id from crosswalk join source_record using (rec_id) where (system, type, key) = (:s, :t, :k)"
    home = rows(world, query, s=system, t=type_, k=key)
    others = rows(world, "select count(*) from crosswalk where entity_id = :id", id=home[0][0])
    assert others == [(1,)], "exactly the record that was ticked stands alone"
    assert rows(world, "select count(*) from judgement where verdict = 'not_same' and until is null")[0][0] >= 1
    assert audited(world, "split") == 1

    ada.press("z")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("Undone")
    assert memberships(world) == before


def account_event(engine: Engine, entity: str = "true") -> tuple[Any, Message, Any]:
    """A live CRM account that stands alone, the newest event about it, and that event's value to be changed."""
    row = rows(
        engine,
        f"""select x.entity_id, r.key, r.topic, r.partition, r."offset"
            from source_record r join crosswalk x using (rec_id)
            where r.system = 'crm' and r.type = 'account' and not r.deleted and {entity}
              and (select count(*) from crosswalk y where y.entity_id = x.entity_id) = 1 order by r.rec_id limit 1""",
    )[0]
    place = Place(row.topic, row.partition, row.offset)
    message = next(each for each in world_messages() if each.place == place)
    value = json.loads(message.value or b"{}")
    inner = value.get("payload", value)
    source = inner["source"]
    source["lsn"] += 10**9
    source["sequence"] = json.dumps([str(source["lsn"])] * 2)
    inner["op"] = "u"
    return row, message, value


def later(message: Message, value: Any, more: int = 0) -> Message:
    """The message again with another value, far behind all others."""
    place = Place(message.place.topic, message.place.partition, 10**9 + more)
    return Message(place, message.timestamp_ms, message.headers, message.key, json.dumps(value).encode())


def test_an_override_holds_and_is_challenged_when_a_source_changes(
    ada: Keyboard, world: Engine, pipeline: Pipeline
) -> None:
    row, message, value = account_event(world, "r.attributes->>'industry' is not null")
    ada.page.goto(f"/console/customers/{row.entity_id}/override/industry")
    ada.press("e")
    ada.type("Anvils")
    ada.press("Escape", "c")
    ada.type("seen on their door")
    ada.press("Escape", "p")
    expect(ada.page.get_by_role("heading", name="Nothing has been changed")).to_be_visible()
    ada.press("m")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("Overridden")
    assert golden(world, row.entity_id)["industry"] == "Anvils"
    assert audited(world, "override") == 1

    value.get("payload", value)["after"]["industry"] = "Hammers"
    process(pipeline, "test", [later(message, value)])

    assert golden(world, row.entity_id)["industry"] == "Anvils", "what a steward pinned is not silently undone"
    assert rows(world, "select kind from steward_task where status = 'open' and kind = 'override_challenged'")
    ada.page.goto(f"/console/customers/{row.entity_id}")
    expect(ada.page.get_by_text("challenged: a source says something new")).to_be_visible()
    ada.page.get_by_role("button", name="Clear").press("Enter")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("cleared")
    assert golden(world, row.entity_id)["industry"] == "Hammers"


def golden(engine: Engine, entity_id: str) -> Any:
    query = """select "values" from golden where entity_id = :id and known_to is null"""
    return rows(engine, query, id=entity_id)[0][0]


def test_a_refused_message_is_mended_rehearsed_and_replayed(ada: Keyboard, world: Engine, pipeline: Pipeline) -> None:
    row, message, good = account_event(world)
    bad = json.loads(json.dumps(good))
    bad.get("payload", bad)["source"]["sequence"] = "broken"
    process(pipeline, "test", [later(message, bad)])
    assert rows(world, "select status from dead_letter") == [("open",)]

    ada.press("g", "e")
    ada.press("Enter")
    expect(ada.page.locator("h1")).to_have_text("1 like this")
    ada.press("j", "Enter")
    expect(ada.page.locator("h1")).to_contain_text("Refused message")
    ada.press("e")
    ada.page.keyboard.press("Control+a")
    ada.page.keyboard.insert_text(json.dumps(good))
    ada.press("Escape", "p")
    expect(ada.page.get_by_role("heading", name="Rehearsal: nothing was changed")).to_be_visible()
    assert rows(world, "select status from dead_letter") == [("open",)]

    ada.press("c")
    ada.type("the clock of the connector was wrong")
    ada.press("Escape", "m")

    expect(ada.page.locator("[data-outcome]")).to_contain_text("1 applied")
    assert rows(world, "select status from dead_letter") == [("replayed",)]
    assert rows(world, "select author, reason from dead_letter_fix") == [
        ("user:ada", "the clock of the connector was wrong")
    ]
    assert audited(world, "fix") == 1

    before = golden(world, row.entity_id)
    ada.press("z")
    expect(ada.page.locator("h1")).to_have_text("What you did last")
    expect(ada.page.locator("tbody tr").first).to_contain_text("What was taken in is history")
    expect(ada.page.locator("main [data-key=z]")).to_have_count(0)
    ada.press("g", "q")
    ada.press("Enter")
    ada.press("z")  # the key that takes an answer back
    expect(ada.page.locator("[data-outcome]")).to_contain_text("Nothing was taken back")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("Mended and replayed")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("What was taken in is history")
    assert rows(world, "select status from dead_letter") == [("replayed",)]
    assert golden(world, row.entity_id) == before
    assert audited(world, "fix") == 1
    assert audited(world, "undo") + audited(world, "take_back") == 0


def test_a_large_group_is_replayed_by_a_job_that_can_be_left(
    ada: Keyboard, world: Engine, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exceptions, "_AT_ONCE", 0)
    _, message, good = account_event(world)
    bad = json.loads(json.dumps(good))
    bad.get("payload", bad)["source"]["sequence"] = "broken"
    process(pipeline, "test", [later(message, bad)])

    ada.press("g", "e")
    ada.press("Enter")
    ada.reach("Replay 1")
    ada.press("Enter")

    assert "/console/replay/" in ada.page.url
    ada.page.goto("/console/replay")
    expect(ada.page.locator("tbody tr")).to_have_count(1)
    ada.press("Enter")
    expect(ada.page.get_by_role("heading", name="What it did")).to_be_visible(timeout=20_000)
    assert rows(world, "select actor, status, report->'dead_letters' from replay_job") == [
        ("user:ada", "done", {"quarantined": 1})
    ]
    assert rows(world, "select status from dead_letter") == [("open",)], "its cause is not gone"


def test_time_travel_shows_what_was_known_and_brings_it_back(ada: Keyboard, world: Engine) -> None:
    customer = rows(
        world,
        """select entity_id from golden g where domain = 'customer' and version = 1
           and exists (select from golden c where c.entity_id = g.entity_id and c.known_to is null and c.version >= 2
                       and c."values"->'name' <> g."values"->'name') order by entity_id limit 1""",
    )[0][0]
    first = rows(
        world, 'select name, known_from, "values" from golden where entity_id = :id and version = 1', id=customer
    )[0]
    ada.page.goto(f"/console/customers/{customer}")
    ada.press("h")
    ada.page.locator("#known_at").fill(first.known_from.strftime("%Y-%m-%dT%H:%M:%S"))
    ada.page.locator("#a").focus()
    ada.page.locator("#a").select_option("1")
    ada.reach("Compare")
    ada.press("Enter")
    expect(ada.page.locator("#compared")).to_contain_text("Version 1 and version")

    ada.press("c")
    ada.type("the older name is right")
    ada.press("Escape", "r")

    expect(ada.page.locator("[data-outcome]")).to_contain_text("Restored")
    assert golden(world, customer)["name"] == first[2]["name"]


def told_why_not(keyboard: Keyboard, key: str, why: str) -> None:
    """The page says why a step is somebody else's, in place of its button, and again when its key is pressed."""
    said = keyboard.page.locator(".another")
    expect(said).to_have_text(why)
    assert keyboard.page.locator(f"[data-key='{key}']").count() == 0
    keyboard.press(key)
    expect(said).to_be_focused()
    expect(keyboard.page.locator("#live")).to_have_text(why)


class TestFourEyes:
    """With the policy that ships."""

    @pytest.fixture
    def policy(self) -> Policy | None:
        return None

    def test_a_merge_of_erp_records_waits_for_somebody_else(self, signed_in: SignIn, world: Engine) -> None:
        ada, ben = signed_in("Ada"), signed_in("Ben")
        before = memberships(world)
        ada.press("g", "q")
        ada.press("Enter")
        ada.press("m")
        expect(ada.page.locator("[data-outcome]")).to_contain_text("Proposed as number 1")
        assert memberships(world) == before

        ada.press("z")
        expect(ada.page.locator("[data-outcome]")).to_contain_text("Proposal 1 is taken back")
        assert rows(world, "select status from proposal") == [("withdrawn",)]
        ada.press("m")
        expect(ada.page.locator("[data-outcome]")).to_contain_text("Proposed as number 2")

        ada.press("g", "a")
        ada.press("Enter")
        expect(ada.page.get_by_text("What it would do now")).to_be_visible()
        told_why_not(ada, "m", "Nobody approves what they proposed themselves. Ask somebody else to look at it.")
        assert memberships(world) == before

        ben.press("g", "a")
        ben.press("Enter")
        ben.press("m")
        expect(ben.page.locator("[data-outcome]")).to_contain_text("approved")
        assert memberships(world) != before
        assert rows(world, "select status, author, decided_by from proposal order by proposal_id") == [
            ("withdrawn", "user:ada", "user:ada"), ("approved", "user:ada", "user:ben"),
        ]  # fmt: skip
        assert rows(world, "select actor, approved_by from decision") == [("user:ada", "user:ben")]
        agreed = memberships(world)

        for keyboard, was in ((ben, "Agreed to: Merged"), (ada, "Proposed as number 2: merged, agreed to since")):
            keyboard.press("g", "q")
            keyboard.press("Enter")
            keyboard.press("z")
            expect(keyboard.page.locator("[data-outcome]")).to_contain_text("Nothing was taken back")
            expect(keyboard.page.locator("[data-outcome]")).to_contain_text(was)
        assert memberships(world) == agreed
        assert rows(world, "select undone_by from decision") == [(None,)]
        assert audited(world, "undo") == 0

        ben.press("z")  # the page shows what it is, and asks a second person to agree to taking it back
        expect(ben.page.locator("[data-outcome]")).to_contain_text("Proposed as number 3")
        assert memberships(world) == agreed
        ada.press("g", "a")
        ada.press("Enter")
        expect(ada.page.locator("main")).to_contain_text("This would end what two persons agreed on")
        ada.press("m")
        expect(ada.page.locator("[data-outcome]")).to_contain_text("approved")
        assert memberships(world) == before
        assert rows(world, "select actor, detail->>'approved_by' from audit where action = 'steward.undo'") == [
            ("user:ben", "user:ada")
        ]
        ada.press("g", "c")
        ada.press("z")
        expect(ada.page.locator("main")).to_contain_text("Agreed to: Undone")

    def test_the_server_refuses_self_approval_whatever_the_page_offers(self, ada: Keyboard, world: Engine) -> None:
        ada.press("g", "q")
        ada.press("Enter")
        ada.press("m")
        token = ada.page.locator("input[name=csrf]").first.get_attribute("value") or ""

        answer = ada.page.request.post("/console/approvals/1/approve", form={"csrf": token})

        assert answer.status == 403
        assert rows(world, "select status from proposal") == [("open",)]

    def test_a_question_under_a_proposal_is_answered_by_who_answers_the_proposal(
        self, signed_in: SignIn, world: Engine
    ) -> None:
        ada, ben = signed_in("Ada"), signed_in("Ben")
        ada.press("g", "q")
        ada.press("Enter")
        question = ada.page.url
        ada.press("m")
        expect(ada.page.locator("[data-outcome]")).to_contain_text("Proposed as number 1")

        ada.page.goto(question)
        expect(ada.page.locator("main")).to_contain_text("You have proposed an answer (merged)")
        for key in ("m", "n", "u"):
            told_why_not(ada, key, "Nobody approves what they proposed themselves. Ask somebody else to look at it.")
        ada.press("g", "a")
        expect(ada.page.locator("tbody tr").first).to_contain_text("Nobody approves what they proposed themselves.")
        ben.press("g", "a")
        expect(ben.page.locator("tbody tr")).to_have_count(1)
        expect(ben.page.locator("tbody tr").first).not_to_contain_text("Nobody approves")

        ben.page.goto(question)
        expect(ben.page.locator("main")).to_contain_text("ada has proposed an answer (merged)")
        otherwise = "Agree to the answer that waits, or reject it: then the question can be answered otherwise."
        told_why_not(ben, "n", otherwise)
        ben.press("m")
        expect(ben.page.locator("h1")).to_contain_text("Proposal 1: merge")
        ben.press("c")
        ben.type("another town")
        ben.press("Escape", "n")
        expect(ben.page.locator("[data-outcome]")).to_contain_text("Proposal 1 is rejected")

        ada.page.goto(question)
        ada.press("m")
        expect(ada.page.locator("[data-outcome]")).to_contain_text("Proposed as number 2")
        ada.page.goto(question)
        ada.press("z")
        expect(ada.page.locator("[data-outcome]")).to_contain_text("Proposal 2 is taken back")
        assert rows(world, "select status from proposal order by proposal_id") == [("rejected",), ("withdrawn",)]

    def test_an_override_that_waits_is_told_on_the_record_and_not_agreed_to_by_its_author(
        self, ada: Keyboard, world: Engine
    ) -> None:
        (customer,) = rows(
            world, "select entity_id from golden where domain = 'customer' and known_to is null order by 1 limit 1"
        )[0]
        ada.page.goto(f"/console/customers/{customer}/override/payment_terms")
        ada.press("e")
        ada.page.keyboard.press("Control+a")
        ada.type("NT90")
        ada.press("Escape", "c")
        ada.type("agreed by phone")
        ada.press("Escape", "m")
        expect(ada.page.locator("main")).to_contain_text(
            "You have proposed a change (override: payment terms); proposal 1 waits for somebody else."
        )
        ada.page.goto(f"/console/customers/{customer}")
        ada.reach("proposal 1")
        ada.press("Enter")
        expect(ada.page.locator("h1")).to_contain_text("Proposal 1: override payment terms")
        told_why_not(ada, "m", "Nobody approves what they proposed themselves. Ask somebody else to look at it.")

    def test_a_group_of_refused_messages_is_discarded_by_two_persons(
        self, signed_in: SignIn, world: Engine, pipeline: Pipeline
    ) -> None:
        ada, ben = signed_in("Ada"), signed_in("Ben")
        _, message, bad = account_event(world)
        bad.get("payload", bad)["source"]["sequence"] = "broken"
        process(pipeline, "test", [later(message, bad, more) for more in range(2)])
        states = "select status, count(*) from dead_letter group by status"
        assert rows(world, states) == [("open", 2)]

        ada.press("g", "e")
        ada.press("Enter")
        ada.press("c")
        ada.type("a trial of the connector")
        ada.reach("Discard 2")
        ada.press("Enter")
        expect(ada.page.locator("[data-outcome]")).to_contain_text("Proposed as number 1")
        assert rows(world, states) == [("open", 2)], "nothing is lost before a second person has agreed"

        ada.press("g", "a")
        ada.press("Enter")
        told_why_not(ada, "m", "Nobody approves what they proposed themselves. Ask somebody else to look at it.")
        assert rows(world, states) == [("open", 2)]

        ben.press("g", "a")
        ben.press("Enter")
        expect(ben.page.locator("main")).to_contain_text("a trial of the connector")
        ben.press("m")
        expect(ben.page.locator("[data-outcome]")).to_contain_text("Proposal 1 is approved")
        closed = "select distinct status, closed_by, closed_reason from dead_letter"
        assert rows(world, closed) == [("discarded", "user:ada", "a trial of the connector")]
        assert rows(world, "select status, author, decided_by from proposal") == [("approved", "user:ada", "user:ben")]
        assert rows(world, "select actor, action from audit where actor like 'user:%' order by seq") == [
            ("user:ada", "steward.propose"), ("user:ada", "steward.discard"), ("user:ben", "steward.approved"),
        ]  # fmt: skip


def test_a_changed_audit_row_is_found_with_its_number(ada: Keyboard, world: Engine) -> None:
    ada.page.goto("/console/audit")
    ada.reach("Verify the chain")
    ada.press("Enter")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("The chain holds")
    tamper(world, "update audit set actor = 'nobody' where seq = 2")

    ada.reach("Verify the chain")
    ada.press("Enter")

    expect(ada.page.locator("[data-outcome]")).to_contain_text("Entry 2")
