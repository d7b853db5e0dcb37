"""Rules change by release, by keyboard: written by one, approved by another, put into force by a third, taken back."""

from playwright.sync_api import expect
from sqlalchemy import Engine

from mdm.access import Role
from mdm.hub.digest import state_digest
from tests.e2e.browsing import Keyboard
from tests.e2e.conftest import SignIn
from tests.e2e.test_mending import told_why_not
from tests.e2e.test_reviewing import rows

_OLD = "rank: [{best_supported: name}, {states: legal_form}, best_supported, best_written, trust, most_recent]"


def drafted(ada: Keyboard) -> None:
    """Ada's draft: the newest name survives, whoever states it."""
    ada.press("g", "u")
    ada.press("e")
    expect(ada.page.locator("h1")).to_contain_text("New draft: survivorship of customers")
    document = ada.page.locator("#document").input_value()
    assert _OLD in document
    ada.press("c")
    ada.type("The newest name survives")
    ada.press("Escape", "e")
    ada.page.keyboard.press("Control+a")
    ada.page.keyboard.insert_text(document.replace(_OLD, "rank: [most_recent, trust]"))
    ada.press("Escape", "m")
    expect(ada.page.locator("h1")).to_contain_text("Release 1: The newest name survives")
    expect(ada.page.locator("ins")).to_contain_text("rank: [most_recent, trust]")


def simulated(ada: Keyboard) -> None:
    ada.press("p")
    expect(ada.page.get_by_role("heading", name="What it would change")).to_be_visible(timeout=420_000)


def test_a_release_goes_from_draft_into_force_and_back(signed_in: SignIn, world: Engine) -> None:
    before = state_digest(world).state
    ada, ben = signed_in("Ada"), signed_in("Ben")
    clara = signed_in("Clara", Role.ADMIN)  # type: ignore[call-arg]
    drafted(ada)
    simulated(ada)
    assert state_digest(world).state == before, "a simulation writes nothing"
    told_why_not(ada, "m", "Nobody approves or rejects a release that they wrote. Ask somebody else to look.")
    token = ada.page.locator("input[name=csrf]").first.get_attribute("value") or ""
    by_hand = ada.page.request.post("/console/releases/1/approve", form={"csrf": token})
    assert by_hand.status == 403

    ben.press("g", "u")
    ben.press("Enter")
    expect(ben.page.locator("main")).to_contain_text("Golden records changed")
    ben.press("c")
    ben.type("looked at the examples")
    ben.press("Escape", "m")
    expect(ben.page.locator("[data-outcome]")).to_contain_text("Release 1 is approved")
    assert rows(world, "select status, author, approver from rule_release") == [("approved", "user:ada", "user:ben")]
    told_why_not(ben, "m", "Nobody puts into force what they approved. A third person does: ask another releaser.")

    clara.page.goto("/console/releases/1")
    clara.press("m")
    expect(clara.page.locator("[data-outcome]")).to_contain_text("Release 1 is in force", timeout=420_000)
    expect(clara.page.get_by_role("heading", name="What it changed")).to_be_visible()
    named = clara.page.locator("a[href$='/history'] bdi").all_inner_texts()
    assert named, "examples of what changed"
    assert not any(each.startswith("cus_") for each in named), "by their names"
    assert state_digest(world).state != before
    changed, told = rows(
        world,
        """select (select count(distinct entity_id) from golden where cause = 'release'),
                  (select (report->>'golden_changed')::int from release_run where what = 'simulation')""",
    )[0]
    assert changed == told > 10, "exactly what the simulation had told"

    clara.press("c")
    clara.type("names became worse")
    clara.press("Escape", "z")
    expect(clara.page.locator("main")).to_contain_text("Taken back completely", timeout=420_000)
    assert rows(world, "select status, reason from rule_release") == [("rolled_back", "names became worse")]
    assert state_digest(world).state == before
    actions = [row.action for row in rows(world, "select action from audit where subject = 'release 1' order by seq")]
    assert [each for each in actions if each != "release.activation" and each != "release.rollback"] == [
        "release.draft", "release.simulate", "release.approve", "release.activate", "release.active",
        "release.roll_back", "release.rolled_back",
    ]  # fmt: skip


def test_the_server_refuses_what_one_person_may_not_do_whatever_the_page_offers(
    signed_in: SignIn, world: Engine
) -> None:
    clara = signed_in("Clara", Role.ADMIN)  # type: ignore[call-arg]
    drafted(clara)
    simulated(clara)
    token = clara.page.locator("input[name=csrf]").first.get_attribute("value") or ""
    for step in ("approve", "reject", "activate"):
        answer = clara.page.request.post(f"/console/releases/1/{step}", form={"csrf": token, "comment": "mine"})
        assert answer.status == 403, step
    assert rows(world, "select status from rule_release") == [("draft",)]
    assert rows(world, "select count(*) from rules_in_force") == [(0,)]


def test_a_document_that_is_wrong_is_told_with_its_line_and_nothing_that_was_typed_is_lost(
    ada: Keyboard, world: Engine
) -> None:
    ada.page.goto("/console/releases/new")
    ada.press("c")
    ada.type("Broken")
    ada.press("Escape", "e")
    ada.page.keyboard.press("Control+End")
    ada.type("\nsurprise: yes\n")
    ada.press("Escape", "m")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("line")
    assert "surprise: yes" in ada.page.locator("#document").input_value()
    assert rows(world, "select count(*) from rule_release") == [(0,)]
