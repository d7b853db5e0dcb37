"""Reviewing by keyboard: find, understand, preview, decide, go on; asserted in the database and the audit."""

import statistics
from typing import Any

from playwright.sync_api import Route, expect
from sqlalchemy import Engine, text

from tests.e2e.browsing import Keyboard
from tests.e2e.conftest import SignIn


def rows(engine: Engine, query: str, **parameters: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(query), parameters))


def task_on(keyboard: Keyboard) -> int:
    return int(keyboard.page.url.split("?")[0].rpartition("/")[2])


def test_a_question_is_found_understood_previewed_and_answered_by_keyboard(ada: Keyboard, world: Engine) -> None:
    ada.press("g", "q")
    expect(ada.page.locator("h1")).to_have_text("Reviews")
    ada.press("j", "Enter")
    task_id = task_on(ada)
    records = rows(world, "select a, b from steward_task where task_id = :id", id=task_id)[0]
    expect(ada.page.locator("h1")).to_contain_text("the same?")

    ada.press("p")
    expect(ada.page.locator("h1")).to_have_text("What if: merge")
    expect(ada.page.get_by_text("Nothing has been changed")).to_be_visible()
    ada.press("p")
    ada.press("m")

    expect(ada.page.locator("[data-outcome]")).to_contain_text("Merged")
    assert task_on(ada) != task_id, "the next question follows"
    assert rows(world, "select count(distinct entity_id) from crosswalk where rec_id in (:a, :b)", a=records.a,
                b=records.b) == [(1,)]  # fmt: skip
    assert rows(world, "select status from steward_task where task_id = :id", id=task_id)[0].status != "open"
    judged = rows(world, "select verdict from judgement where a = :a and b = :b", a=records.a, b=records.b)
    assert judged == [("same",)]
    assert rows(world, "select count(*) from audit where action like '%same%' or action like '%judge%'")[0][0] >= 1


def test_twenty_questions_take_a_median_of_at_most_three_keys(ada: Keyboard, world: Engine) -> None:
    ada.press("g", "q")
    ada.press("Enter")
    counts = []
    for number in range(20):
        before = ada.presses
        ada.press("n" if number % 3 else "u")
        counts.append(ada.presses - before)

    assert statistics.median(counts) <= 3
    assert rows(world, "select count(*) from decision")[0][0] == 20


def test_after_each_update_focus_and_live_region_follow(ada: Keyboard) -> None:
    ada.press("g", "q")
    ada.press("Enter")
    heading = ada.page.locator("h1").inner_text()
    ada.press("n")

    assert ada.page.evaluate("document.activeElement.tagName") == "H1"
    assert ada.page.locator("h1").inner_text() != heading
    expect(ada.page.locator("#live")).to_contain_text("Kept apart")


def test_the_keys_are_listed_from_every_page_and_the_focus_comes_back(ada: Keyboard) -> None:
    focus = "document.activeElement.tagName"
    dialog = ada.page.get_by_role("dialog", name="Keys")
    ada.press("g", "q", "?")
    expect(dialog).to_be_visible()
    assert ada.page.evaluate("document.activeElement.id") == "keys-title", "it is read from its beginning"
    assert ada.page.evaluate("document.getElementById('keys').scrollTop") == 0
    ada.press("Escape")
    expect(dialog).to_be_hidden()
    expect(ada.page.locator("h1")).to_be_focused()

    ada.press("j", "?")  # on the row that has the focus it says why the row stands there
    expect(dialog).to_be_hidden()
    expect(ada.page.locator("tr.current details")).to_have_attribute("open", "")
    expect(ada.page.locator("#live")).to_contain_text("+")
    ada.press("Enter")
    ada.press("j", "c")
    assert ada.page.evaluate(focus) == "INPUT"
    ada.press("Escape")
    assert ada.page.evaluate(focus) == "TR", "out of a field it goes where it came from"

    ada.page.goto("/console/customers/cus_nobody")
    expect(ada.page.locator("h1")).to_contain_text("nothing under this name")
    ada.press("g", "q")
    expect(ada.page.locator("h1")).to_have_text("Reviews")


def test_a_second_steward_is_told_and_loses_nothing(signed_in: SignIn, world: Engine) -> None:
    ada, ben = signed_in("Ada"), signed_in("Ben")
    for each in (ada, ben):
        each.press("g", "q")
        each.press("Enter")
    assert task_on(ada) == task_on(ben)
    task_id = task_on(ada)

    ada.press("n")
    ben.press("c")
    ben.type("same tax number")
    ben.press("Escape")
    ben.press("m")

    expect(ben.page.locator("[data-outcome]")).to_contain_text("Nothing was changed")
    expect(ben.page.get_by_text("This question is closed")).to_be_visible()
    assert rows(world, "select verdict from judgement j join steward_task t using (a, b) where t.task_id = :id",
                id=task_id) == [("not_same",)]  # fmt: skip


def test_with_the_keys_switched_off_letters_do_nothing(ada: Keyboard, world: Engine) -> None:
    ada.page.goto("/console/help")
    ada.page.get_by_label("Off").check()
    ada.page.get_by_role("button", name="Keep").press("Enter")
    ada.settle()
    ada.page.goto("/console/reviews")
    ada.press("Enter")

    ada.press("m")

    assert rows(world, "select count(*) from decision") == [(0,)]


def test_everything_works_with_scripting_off(ada: Keyboard, world: Engine) -> None:
    context = ada.page.context.browser
    assert context is not None
    plain = context.new_context(java_script_enabled=False, base_url=ada.page.url.partition("/console")[0])
    plain.add_cookies(ada.page.context.cookies())  # type: ignore[arg-type]
    page = plain.new_page()

    page.goto("/console/reviews")
    page.locator("tbody a.row-link").first.click()
    page.get_by_role("button", name="Not a match").click()

    expect(page.locator("[data-outcome]")).to_contain_text("Kept apart")
    assert rows(world, "select count(*) from decision") == [(1,)]
    plain.close()


def test_z_takes_the_last_decision_back_and_the_question_returns(ada: Keyboard, world: Engine) -> None:
    ada.press("g", "q")
    ada.press("Enter")
    task_id = task_on(ada)
    before = memberships(world)
    ada.press("m")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("Merged")
    assert memberships(world) != before

    ada.press("z")

    expect(ada.page.locator("[data-outcome]")).to_contain_text("Undone")
    assert memberships(world) == before
    question = rows(world, "select question from steward_task where task_id = :id", id=task_id)[0].question
    assert rows(world, "select count(*) from steward_task where question = :q and status = 'open'", q=question) == [
        (1,)
    ]
    assert rows(world, "select kind, undone_by is not null from decision order by decision_id") == [
        ("same", True),
        ("undo", False),
    ]


def test_what_is_put_off_handed_over_and_remarked_on_is_taken_back_by_z_or_said_to_stay(
    ada: Keyboard, world: Engine
) -> None:
    ada.press("g", "q")
    ada.press("Enter")
    first = task_on(ada)
    work = "select assignee, snoozed_until is not null from task_work where task_id = :id"
    ada.press("u")
    second = task_on(ada)
    ada.reach("Tomorrow", most=200)
    ada.press("Enter")
    expect(ada.page.locator("[data-outcome]")).to_contain_text(f"Put question {second} off")
    assert task_on(ada) not in (first, second)
    assert rows(world, work, id=second) == [(None, True)]

    ada.press("z")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("Taken back: Put question")
    assert task_on(ada) == second
    assert rows(world, work, id=second) == [(None, False)]
    assert rows(world, "select undone_by from decision") == [(None,)], "not the decision before it"

    ada.press("a")
    ada.reach("Hand over to", most=200)
    ada.type("ben")
    ada.press("Enter")
    expect(ada.page.locator("[data-outcome]")).to_contain_text(f"Gave question {second} to ben")
    assert rows(world, work, id=second) == [("user:ben", False)]
    ada.press("z")
    assert rows(world, work, id=second) == [("user:ada", False)]
    ada.press("z")
    assert rows(world, work, id=second) == [(None, False)]

    ada.reach("Remark for others", most=200)
    ada.type("they moved")
    ada.reach("Leave the remark")
    ada.press("Enter")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("Left a remark on question")
    ada.press("z")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("Nothing was taken back")
    assert rows(world, "select text from comment") == [("they moved",)]
    assert rows(world, "select undone_by from decision") == [(None,)]
    ada.press("z")  # the page shows what comes before it
    assert rows(world, "select undone_by is not null from decision where kind = 'unsure'") == [(True,)]
    ada.press("g", "c")
    ada.press("z")
    expect(ada.page.locator("h1")).to_have_text("What you did last")
    actions = rows(world, "select action from audit where actor = 'user:ada' order by seq")
    assert [each.action.removeprefix("steward.") for each in actions] == [
        "unsure", "snooze", "take_back", "assign", "assign", "take_back", "take_back", "comment", "undo"
    ]  # fmt: skip


def test_a_value_picked_by_number_survives_the_merge(ada: Keyboard, world: Engine) -> None:
    ada.page.goto("/console/reviews?domain=customer&weight_from=2")
    ada.press("Enter")
    task_id = task_on(ada)
    row = ada.page.locator("tr[data-item]:has(input[type=radio])").first
    while "current" not in (row.get_attribute("class") or ""):
        ada.press("j")
    ada.press("2")
    picked = row.locator('input[data-column="2"]')
    assert picked.is_checked()
    attribute = (picked.get_attribute("name") or "").removeprefix("pick.")

    ada.press("c")
    ada.type("the second is right")
    ada.press("Escape", "p")
    expect(ada.page.locator("h1")).to_have_text("What if: merge")
    ada.press("p")
    assert picked.is_checked(), "nothing that was picked or typed is lost on the way to the preview and back"
    ada.press("p", "m")

    expect(ada.page.locator("[data-outcome]")).to_contain_text("Merged")
    held = rows(world, "select attribute, reason from golden_override")
    assert held == [(attribute, "the second is right")]
    assert rows(world, "select kind from decision order by decision_id") == [("same",)]
    ada.press("z")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("Undone")
    assert rows(world, "select count(*) from golden_override where ended_at is null") == [(0,)]
    assert task_on(ada) == task_id


def memberships(engine: Engine) -> list[Any]:
    return rows(engine, "select rec_id, entity_id from crosswalk order by rec_id")


def test_many_questions_are_answered_at_once_after_a_look_and_taken_back(ada: Keyboard, world: Engine) -> None:
    ada.page.goto("/console/reviews?domain=customer")
    for _ in range(3):
        ada.press("j", "x")
    ada.page.get_by_role("button", name="Not a match…").press("Enter")
    ada.settle()
    expect(ada.page.locator("h1")).to_have_text("3 questions: not a match?")
    assert rows(world, "select count(*) from judgement") == [(0,)]
    assert rows(world, "select purpose, status from bulk_job") == [("look", "done")]

    ada.press("c")
    ada.type("renewals, not copies")
    ada.press("Escape", "m")
    expect(ada.page.locator("#progress")).to_contain_text("3 of 3", timeout=20_000)
    assert rows(world, "select verdict, reason, count(*) from judgement where superseded_at is null group by 1, 2") == [
        ("not_same", "renewals, not copies", 3)
    ]

    ada.press("g", "q")
    ada.press("Enter")
    ada.press("z")
    expect(ada.page.locator("h1")).to_contain_text("Job 2")  # all of it is taken back there, not unseen
    assert rows(world, "select count(*) from judgement where superseded_at is null") == [(3,)]
    assert rows(world, "select count(*) from decision where undone_by is not null") == [(0,)]
    assert rows(world, "select count(*) from bulk_job where purpose = 'take_back'") == [(0,)]

    ada.press("z")
    expect(ada.page.locator("h1")).to_contain_text("job 2 is taken back")
    expect(ada.page.locator("#progress")).to_contain_text("3 of 3 taken back", timeout=20_000)
    assert rows(world, "select count(*) from judgement where superseded_at is null") == [(0,)]
    assert rows(world, "select count(*) from decision where kind = 'not_same' and undone_by is null") == [(0,)]
    actions = rows(world, "select action, count(*) from audit where actor = 'user:ada' group by 1 order by min(seq)")
    assert actions == [
        ("steward.bulk", 1), ("steward.not_same", 3), ("steward.take_back_bulk", 1),
        ("steward.undo", 3),
    ]  # fmt: skip
    ada.press("g", "q")
    ada.press("z")
    expect(ada.page.locator("main")).to_contain_text("All of it was taken back")


def test_keys_pressed_faster_than_the_hub_answers_show_the_last_page_asked_for(ada: Keyboard, world: Engine) -> None:
    ada.press("g", "q")
    ada.press("Enter")
    task_id = task_on(ada)

    def late(route: Route) -> None:
        ada.page.wait_for_timeout(400)
        route.continue_()

    ada.page.route("**/preview*", late)
    ada.page.keyboard.press("p")
    ada.press("n")
    ada.page.wait_for_timeout(900)

    expect(ada.page.locator("[data-outcome]")).to_contain_text("Kept apart")
    assert task_on(ada) != task_id
    assert rows(world, "select count(*) from decision") == [(1,)]


def test_a_key_held_down_or_mistyped_after_g_answers_nothing(ada: Keyboard, world: Engine) -> None:
    ada.press("g", "q")
    ada.press("Enter")
    first = task_on(ada)
    ada.press("g", "m")
    assert task_on(ada) == first, "there is no place of that letter"

    ada.page.keyboard.down("n")
    ada.page.keyboard.down("n")  # what a key sends that stays down
    ada.page.keyboard.down("n")
    ada.page.keyboard.up("n")
    ada.settle()
    ada.page.keyboard.down("n")
    ada.settle()
    second = task_on(ada)
    for _ in range(3):
        ada.page.keyboard.down("n")
        ada.settle()
    ada.page.keyboard.up("n")

    assert second != first
    assert task_on(ada) == second
    assert rows(world, "select count(*) from decision")[0][0] == 2


def test_a_dark_page_prints_on_white_with_everything_unfolded(signed_in: SignIn) -> None:
    page = signed_in("Ada", theme="dark").page  # type: ignore[call-arg]
    page.goto("/console/reviews")
    page.emulate_media(media="print")
    paper = "getComputedStyle(document.querySelector('{}')).{}"

    assert page.evaluate(paper.format("main", "backgroundColor")) == "rgb(255, 255, 255)"
    assert page.evaluate(paper.format("td", "color")) != page.evaluate(paper.format("main", "backgroundColor"))
    assert page.locator("tbody details li").first.is_visible(), "why a question stands where it stands"
    assert not page.locator(".side").is_visible()


def test_a_set_of_filters_is_saved_opened_again_and_forgotten(ada: Keyboard, world: Engine) -> None:
    ada.press("g", "q")
    everything = ada.page.locator("#queue-count").inner_text()
    ada.page.locator("#kind").focus()
    ada.page.keyboard.type("Possible match", delay=30)
    expect(ada.page.locator("#kind")).to_have_value("possible_match")
    expect(ada.page.locator("#queue-count")).to_have_text(everything)  # the letters were none of the page's keys
    ada.press("Enter")
    narrowed = ada.page.locator("#queue-count").inner_text()
    assert narrowed != everything
    ada.reach("Name of the view")
    ada.type("Matches only")
    ada.press("Enter")
    assert rows(world, "select owner, name, query from console_view") == [
        ("user:ada", "Matches only", "kind=possible_match")
    ]

    ada.press("g", "q")
    expect(ada.page.locator("#queue-count")).to_have_text(everything)
    ada.reach("Matches only")
    ada.press("Enter")
    expect(ada.page.locator("#queue-count")).to_have_text(narrowed)

    ada.reach("Delete the view Matches only")
    ada.press("Enter")
    expect(ada.page.get_by_text("Matches only")).to_have_count(0)
    assert rows(world, "select count(*) from console_view") == [(0,)]
