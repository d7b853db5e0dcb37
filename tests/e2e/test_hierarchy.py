"""Setting a hierarchy right by keyboard: say who the parent is, be refused a circle, take it back, end it."""

from typing import Any

from playwright.sync_api import expect
from sqlalchemy import Engine

from tests.e2e.browsing import Keyboard
from tests.e2e.test_reviewing import rows


def two_customers(engine: Engine) -> list[tuple[str, str]]:
    """Customers outside of every hierarchy, whose names are theirs alone."""
    return [
        (row.entity_id, row.name)
        for row in rows(
            engine,
            """select g.entity_id, g.name from golden g where g.domain = 'customer' and g.known_to is null
               and g."values"->'parent' is null and length(g.name) > 8
               and not exists (select 1 from crosswalk x join source_record r using (rec_id)
                               join record_reference f using (system, type, key)
                               where x.entity_id = g.entity_id and f.role = 'parent')
               order by g.entity_id limit 2""",
        )
    ]


def live(engine: Engine) -> list[Any]:
    return rows(engine, "select kind, child, parent, author, reason from customer_relation where ended_at is null")


def fill(keyboard: Keyboard, parent: str, reason: str, then: str = "m") -> None:
    """Write who the parent is and why; `m` saves it, `p` shows what it would change."""
    keyboard.press("e")
    keyboard.type(parent)
    keyboard.press("Escape", "c")
    keyboard.type(reason)
    keyboard.press("Escape", then)


def test_a_parent_is_said_a_circle_refused_and_the_word_taken_back(ada: Keyboard, world: Engine) -> None:
    (child, name), (parent, parent_name) = two_customers(world)
    ada.page.goto(f"/console/customers/{child}/hierarchy")

    fill(ada, parent, "annual report, page 3", "p")
    expect(ada.page.get_by_role("heading", name="Nothing has been changed")).to_be_visible()
    expect(ada.page.locator("[data-outcome]")).to_contain_text(f"{name}: legal parent {parent_name}")
    assert live(world) == []
    assert rows(world, "select count(*) from decision") == [(0,)]
    ada.press("m")

    expect(ada.page.locator("[data-outcome]")).to_contain_text("Said who the parent is")
    expect(ada.page.locator(".tree")).to_contain_text(parent_name)
    assert live(world) == [("legal_parent", child, parent, "user:ada", "annual report, page 3")]
    assert rows(world, "select actor from audit where action = 'steward.relate'") == [("user:ada",)]

    ada.page.goto(f"/console/customers/{parent}/hierarchy")
    fill(ada, child, "the other way round")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("close a circle")
    expect(ada.page.locator("#reason")).to_have_value("the other way round")
    assert len(live(world)) == 1

    number = rows(world, "select decision_id from decision")[0][0]
    ada.page.goto(f"/console/customers/{child}/hierarchy?done={number}")
    ada.press("z")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("Undone")
    assert child in ada.page.url, "back to the page it was taken back on, not to the parent's"
    assert live(world) == []


def test_a_name_that_several_customers_have_is_asked_back(ada: Keyboard, world: Engine) -> None:
    (child, _), _ = two_customers(world)
    ada.page.goto(f"/console/customers/{child}/hierarchy")

    fill(ada, "gmbh", "trade register")

    expect(ada.page.locator("[data-outcome]")).to_contain_text("Which one is meant?")
    assert live(world) == []
    choice = ada.page.locator("button[name=parent_id]").first
    chosen = choice.get_attribute("value")
    choice.press("Enter")
    ada.settle()
    expect(ada.page.locator("[data-outcome]")).to_contain_text("Said who the parent is")
    assert [(row.parent, row.reason) for row in live(world)] == [(chosen, "trade register")]


def test_a_relation_is_ended_from_a_day_on_without_scripts(ada: Keyboard, world: Engine) -> None:
    (child, _), (parent, _) = two_customers(world)
    ada.page.goto(f"/console/customers/{child}/hierarchy")
    ada.page.locator("#valid_from").fill("2025-01-01")
    ada.press("Escape")
    fill(ada, parent, "annual report")
    context = ada.page.context.browser
    assert context is not None
    plain = context.new_context(java_script_enabled=False, base_url=ada.page.url.partition("/console")[0])
    plain.add_cookies(ada.page.context.cookies())  # type: ignore[arg-type]
    page = plain.new_page()

    page.goto(f"/console/customers/{child}/hierarchy")
    page.locator("td details summary").click()
    page.get_by_role("button", name="End it").click()

    found = rows(world, "select parent, valid_to is not null from customer_relation where ended_at is null")
    assert found == [(parent, True)]
    plain.close()
