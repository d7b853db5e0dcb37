"""Without scripts: a steward's flows as plain pages and forms; and ways into the console in a real browser."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, text

from api.app import ApiOptions, create_app
from api.console.oidc import OidcOptions
from mdm.access import FORMER_STEWARD, Role
from mdm.hub.process import process
from mdm.store import accounts
from tests.api.identity_provider import Provider, provider_app
from tests.e2e import browsing
from tests.e2e.test_mending import account_event, customer_of_many, golden, later, pipeline
from tests.e2e.test_reviewing import memberships, rows

__all__ = ["pipeline"]


@pytest.fixture
def plain(chromium: Browser, world: Engine, address: str) -> Iterator[Page]:
    """Somebody signed in with a browser that runs no script."""
    context = chromium.new_context(java_script_enabled=False, base_url=address)
    page = context.new_page()
    enter(page, world, "ada")
    yield page
    context.close()


def enter(page: Page, world: Engine, name: str, at: str = "") -> None:
    with world.begin() as connection:
        known = connection.scalar(text("select count(*) from console_account where username = :name"), {"name": name})
        password = (
            accounts.set_password(connection, name)
            if known
            else accounts.create_account(connection, name, name.capitalize(), FORMER_STEWARD)
        )
    page.goto(f"{at}/console/sign-in")
    page.locator("#username").fill(name)
    page.locator("#password").fill(password)
    page.get_by_role("button", name="Sign in").first.click()
    expect(page.locator("h1")).to_contain_text("Good to see you")


def press(page: Page, key: str) -> None:
    """Press the button that a key would press, were there scripts."""
    page.locator(f"main [data-key={key}]").first.click()


def test_every_flow_of_a_steward_works_with_scripting_off(
    plain: Page, world: Engine, pipeline: object, chromium: Browser
) -> None:
    page, outcome, before = plain, plain.locator("[data-outcome]"), memberships(world)

    # Find, understand, look ahead, decide, undo.
    page.locator("header input[name=q]").fill("gmbh")
    page.locator("header input[name=q]").press("Enter")
    expect(page.locator("h1")).to_contain_text("Found for")
    page.goto("/console/reviews?domain=customer")
    page.locator("tbody a.row-link").first.click()
    question = page.url
    page.locator("[name=reason]").fill("one VAT number")
    press(page, "p")
    expect(page.get_by_text("Nothing has been changed").first).to_be_visible()
    press(page, "m")
    expect(outcome).to_contain_text("Merged")
    assert memberships(world) != before
    outcome.get_by_role("button", name="Undo").click()
    expect(outcome).to_contain_text("Undone")
    assert memberships(world) == before

    # What was written outlives the session.
    page.goto(question.partition("?")[0])
    page.locator("textarea[name=text]").fill("asked them by phone\nthey call back")
    with world.begin() as connection:
        connection.execute(text("delete from console_session"))
    page.get_by_role("button", name="Leave the remark").click()
    expect(page.locator("h1")).to_contain_text("You were signed out")
    other = page.context.new_page()
    enter(other, world, "ada")
    other.close()
    page.get_by_role("button", name="Send it again").click()
    expect(page.locator("h1")).to_have_text("Is this still what you want?")
    page.get_by_role("button", name="Send it").click()
    assert rows(world, "select text from comment") == [("asked them by phone\r\nthey call back",)]

    # Several at once.
    page.goto("/console/reviews?domain=customer")
    for box in page.locator("tbody input[name=task]").all()[1:3]:
        box.check()
    page.get_by_role("button", name="Not a match…").click()
    expect(page.locator("h1")).to_have_text("2 questions: not a match?")
    press(page, "m")
    for _ in range(50):
        if "2 of 2" in (page.locator("#progress").text_content() or ""):
            break
        page.wait_for_timeout(200)
        page.reload()
    assert rows(world, "select count(*) from judgement where verdict = 'not_same' and superseded_at is null") == [(2,)]

    # Split, and bring an older version back.
    customer = customer_of_many(world)
    page.goto(f"/console/customers/{customer}/graph")
    page.locator("input[name=leave]").last.check()
    press(page, "p")
    expect(page.get_by_role("heading", name="Nothing has been changed")).to_be_visible()
    press(page, "m")
    expect(outcome).to_contain_text("Split")
    assert rows(world, "select kind from decision order by decision_id desc limit 1") == [("split",)]
    page.goto(f"/console/customers/{customer}/history")
    page.locator("#a").select_option("1")
    page.get_by_role("button", name="Compare").click()
    page.locator("#reason").fill("as it was")
    press(page, "r")
    expect(outcome).to_contain_text("Restored")

    # Pin a value, and let go of it.
    page.goto(f"/console/customers/{customer}/override/industry")
    page.locator("#value").fill("Anvils")
    page.locator("#reason").fill("seen on their door")
    press(page, "p")
    press(page, "m")
    expect(outcome).to_contain_text("Overridden")
    assert golden(world, customer)["industry"] == "Anvils"
    page.get_by_role("button", name="Clear").first.click()
    expect(outcome).to_contain_text("cleared")

    # Mend a refused message and take it in.
    _, message, good = account_event(world)
    bad = json.loads(json.dumps(good))
    bad.get("payload", bad)["source"]["sequence"] = "broken"
    process(pipeline, "test", [later(message, bad)])  # type: ignore[arg-type]
    page.goto("/console/exceptions")
    page.locator("tbody a.row-link").first.click()
    page.locator("tbody a.row-link").first.click()
    page.locator("textarea[name=value]").fill(json.dumps(good))
    press(page, "p")
    expect(page.get_by_role("heading", name="Rehearsal: nothing was changed")).to_be_visible()
    page.locator("[name=reason]").first.fill("the clock of the connector was wrong")
    press(page, "m")
    expect(outcome).to_contain_text("1 applied")
    assert rows(world, "select status from dead_letter") == [("replayed",)]

    # With the policy that ships another person agrees, and nobody to their own.
    with browsing.serving(browsing.application(world)) as strict:
        page.goto(f"{strict}/console/reviews?domain=customer")
        page.locator("tbody a.row-link").first.click()
        press(page, "m")
        expect(outcome).to_contain_text("Proposed as number 1")
        page.goto(f"{strict}/console/approvals/1")
        expect(page.locator(".decide")).to_contain_text("Nobody approves what they proposed themselves")
        assert page.locator("[data-key='m']").count() == 0
        others = chromium.new_context(java_script_enabled=False)
        second = others.new_page()
        enter(second, world, "ben", strict)
        second.goto(f"{strict}/console/approvals/1")
        press(second, "m")
        expect(second.locator("[data-outcome]")).to_contain_text("approved")
        others.close()
    assert rows(world, "select author, decided_by, status from proposal") == [("user:ada", "user:ben", "approved")]


def test_somebody_comes_in_through_the_identity_provider(chromium: Browser, engine: Engine) -> None:
    provider = Provider()
    with browsing.serving(provider_app(provider)) as issuer:
        provider.issuer = issuer
        oidc = OidcOptions(issuer, "mdm-hub", None, {"data-stewards": Role.STEWARD})
        app = create_app(browsing.ServedHub(engine), ApiOptions(log=lambda event, **facts: None, oidc=oidc))
        with browsing.serving(app) as address:
            context = chromium.new_context(base_url=address)
            page = context.new_page()
            page.goto("/console/customers?q=anvil")

            page.get_by_role("link", name="Sign in with your company account").click()

            expect(page).to_have_url(f"{address}/console/customers?q=anvil")
            expect(page.get_by_text("Ada · steward")).to_be_visible()
            page.get_by_role("button", name="Sign out").first.click()
            expect(page.locator("h1")).to_have_text("Steward console")
            context.close()
