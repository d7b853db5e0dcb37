"""What a steward does beside questions, by keyboard: onboarding, feeds, search and trace, audit, quality, help."""

import re

from playwright.sync_api import expect
from sqlalchemy import Engine, text

from mdm.access import Role
from tests.e2e.browsing import Keyboard
from tests.e2e.conftest import SignIn
from tests.e2e.test_reviewing import rows

_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def told(keyboard: Keyboard, words: str) -> None:
    """The page says what was done, and so does the live region; the focus stands at the heading."""
    expect(keyboard.page.locator("[data-outcome]")).to_contain_text(words)
    expect(keyboard.page.locator("#live")).to_contain_text(words)
    expect(keyboard.page.locator("h1")).to_be_focused()


def test_a_customer_is_made_fit_for_erp_confirmed_excused_sent_back_and_all_of_it_taken_back(
    ada: Keyboard, world: Engine
) -> None:
    ada.press("g", "o")
    expect(ada.page.locator("h1")).to_have_text("Onboarding to ERP")
    verdicts = ada.page.locator("tbody tr")
    expect(verdicts.first).to_have_class("current")
    assert re.search("ready|needs review|blocked", verdicts.first.inner_text()), "a verdict is words, not a colour"
    ada.press("j", "k", "Enter")

    checks = ada.page.get_by_role("region", name="Checks")
    head = checks.locator("thead").inner_text().split("\t")
    assert [each.strip() for each in head] == ["Outcome", "Check", "What to do", "Whose", "Evidence"]
    while ada.page.locator("tr.current summary").filter(has_text="Waive").count() == 0:
        ada.press("j")
    code = ada.page.locator("tr.current .main-cell .code").first.inner_text()
    ada.press("?")
    ada.reach("Why")
    ada.type("the register is closed until May")
    ada.press("Tab")
    ada.type("05012999")
    ada.press("Enter")
    told(ada, f"({code})")
    assert rows(world, "select code, reason from waiver") == [(code, "the register is closed until May")]
    ada.press("z")
    told(ada, "Ended a waiver of")

    ada.press("e")
    expect(ada.page.locator("#checkpoint")).to_be_focused()
    ada.press("Escape", "c")
    ada.type("register looked up")
    ada.press("Enter")
    told(ada, "Confirmed a checkpoint of")
    assert rows(world, "select reason, superseded_at is null from checkpoint") == [("register looked up", True)]
    ada.press("g", "h")
    ada.press("z")
    expect(ada.page.locator("h1")).to_have_text("What you did last")
    ada.press("z")
    told(ada, "Confirmed a checkpoint of")
    ada.press("z")
    told(ada, "Took a confirmation of")
    assert rows(world, "select superseded_at is null from checkpoint") == [(False,)]

    ada.reach("What must be mended", most=120)
    ada.type("the address has no street")
    ada.press("Enter")
    told(ada, "to the requester")
    ada.press("z")
    told(ada, "up again")
    assert rows(world, "select ended_by from onboarding_return") == [("user:ada",)]


def test_a_feed_is_held_with_a_reason_and_let_go(signed_in: SignIn, world: Engine) -> None:
    ada = signed_in("Ada")
    ada.press("g", "p")
    expect(ada.page.locator("h1")).to_have_text("Pipeline")
    for column in ("Lag, events", "Lag, seconds", "Fresh within, p50", "Fresh within, p99", "Contract"):
        expect(ada.page.get_by_role("columnheader", name=column)).to_be_visible()
    (feed,) = rows(world, "select feed from feed_position group by 1 order by 1 limit 1")[0]
    ada.reach("Reason")
    ada.type("the platform is moved")
    ada.press("Enter")
    told(ada, f"{feed} is held")
    held = ada.page.get_by_role("region", name="Feeds").locator("tr").filter(has_text=feed)
    expect(held).to_contain_text("held")
    expect(held).to_contain_text("ada: the platform is moved")
    ada.reach(f"Let go {feed}")
    ada.press("Enter")
    told(ada, f"{feed} runs again")
    expect(held).to_contain_text("runs")

    token = ada.page.locator("main input[name=csrf]").first.get_attribute("value") or ""
    sent = {"csrf": token, "feed": feed, "reason": " "}
    refused = ada.page.request.post("/console/pipeline/pause", form=sent)
    assert (refused.status, "Pipeline" in refused.text()) == (409, True), "a refusal keeps the page"
    eve = signed_in("Eve", Role.VIEWER)  # type: ignore[call-arg]
    eve.page.goto("/console/pipeline")
    expect(eve.page.locator("button", has_text="Hold")).to_have_count(0)


def test_one_box_finds_an_invoice_and_a_trace_and_the_chain_is_walked(ada: Keyboard, world: Engine) -> None:
    key, number = rows(
        world,
        """select key, attributes->>'number' from source_record where kind = 'invoice'
           and attributes->>'status' = 'paid' order by rec_id limit 1""",
    )[0]
    ada.press("/")
    ada.type(number)
    ada.press("Enter")
    expect(ada.page.locator("#live")).to_have_text("1 shown.")
    expect(ada.page.locator("h1")).to_be_focused()
    expect(ada.page.locator(".current")).to_contain_text(key)
    ada.press("Enter")
    expect(ada.page.locator("h1")).to_contain_text(key)
    here = ada.page.locator("li.current")
    expect(here).to_contain_text("this row")
    ada.press("j")
    expect(here).to_be_focused()
    expect(here).to_contain_text("followed from it")
    following = here.locator("a").first.inner_text()
    ada.press("Enter")
    expect(ada.page.locator("h1")).to_contain_text(following.rpartition(":")[2])

    with world.begin() as connection:
        entity = connection.execute(
            text(
                """update outbox set traceparent = '00-' || :trace || '-00f067aa0ba902b7-01'
                   where aggregateid = (select min(aggregateid) from outbox where aggregateid like 'cus_%')
                   returning aggregateid"""
            ),
            {"trace": _TRACE},
        ).scalars()
        customer = next(iter(entity))
    ada.press("/")
    ada.type(_TRACE)
    ada.press("Enter")
    expect(ada.page.get_by_role("heading", name="What followed from the traced change")).to_be_visible()
    ada.press("Enter")
    expect(ada.page.locator("dd.code").filter(has_text=customer)).to_be_visible()

    ada.press("/")
    ada.type("nobodyofthisname")
    ada.press("Enter")
    expect(ada.page.locator("#live")).to_contain_text("Nothing.")


def test_the_audit_is_narrowed_verified_and_exported_and_leads_on_from_the_search(ada: Keyboard, world: Engine) -> None:
    ada.press("g", "q", "Enter")
    ada.press("n")
    ada.press("g", "t")
    expect(ada.page.locator("h1")).to_have_text("Audit")
    ada.reach("Who")
    ada.type("ada")
    ada.press("Enter")
    entries = ada.page.get_by_role("region", name="Entries").locator("tbody tr")
    expect(ada.page.locator("#actor")).to_have_value("user:ada")
    expect(entries).to_have_count(1)
    expect(entries.first).to_contain_text("steward.not_same")
    ada.press("j", "?")
    expect(entries.first.locator("details")).to_have_attribute("open", "")
    ada.page.reload()
    ada.reach("Verify the chain")
    ada.press("Enter")
    expect(ada.page.locator("#live")).to_contain_text("The chain holds")
    ada.page.goto("/console/audit?actor=user%3Aada")
    ada.reach("Export as CSV")
    ada.press("Enter")
    expect(ada.page.locator("h1")).to_contain_text("Export")
    with ada.page.expect_download() as download:
        ada.press("m")
    written = download.value.path().read_text("utf-8")
    assert "steward.not_same" in written
    (subject,) = rows(world, "select subject from audit where action = 'steward.not_same'")[0]

    ada.page.goto("/console/")
    ada.press("/")
    ada.type(subject)
    ada.press("Enter")
    ada.reach(subject)
    ada.press("Enter")
    expect(ada.page.locator("#subject")).to_have_value(subject)


def test_quality_and_what_stewards_decided_are_reached_and_say_their_formulas(ada: Keyboard) -> None:
    ada.press("g", "q", "Enter")
    ada.press("n")
    ada.press("g", "y")
    expect(ada.page.locator("#figures-wait")).to_have_count(0, timeout=60_000)
    expect(ada.page.locator("h1")).to_have_text("Data quality")
    for words in ("records that state it ÷ all records", "checksum holds ÷ all of the type", "÷ all rows"):
        expect(ada.page.locator("main")).to_contain_text(words)
    ada.reach("Stewards")
    ada.press("Enter")
    expect(ada.page.locator("h1")).to_have_text("Decisions of stewards")
    mine = ada.page.get_by_role("row", name=re.compile("^ada"))
    expect(mine).to_contain_text("you")
    expect(mine).to_contain_text("1 not same")
    expect(ada.page.locator("main")).to_contain_text("Taken back = decisions that somebody has undone ÷ decisions")
    ada.page.set_viewport_size({"width": 820, "height": 1180})
    whole = "each => [each.scrollWidth <= each.clientWidth, each.querySelector('svg').clientWidth > 60]"
    assert ada.page.get_by_role("region", name="People").evaluate(whole) == [True, True], "on a tablet, too"


def test_help_has_keys_words_and_advice_and_switches_keys_and_colours(ada: Keyboard) -> None:
    ada.press("g", "k")
    expect(ada.page.locator("h1")).to_have_text("Help")
    for title in ("Keys", "Words", "What to do about a code"):
        expect(ada.page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    ada.reach("On")
    ada.press("ArrowRight")
    ada.reach("As the system")
    ada.press("ArrowRight", "ArrowRight", "Enter")
    expect(ada.page.locator("html")).to_have_attribute("data-theme", "dark")
    ada.press("g", "q")
    expect(ada.page.locator("h1")).to_have_text("Help")


def test_every_place_has_keys_of_its_own_that_the_list_of_keys_names(ada: Keyboard) -> None:
    places = ada.page.locator(".side a[data-key]").evaluate_all("all => all.map(each => each.dataset.key)")
    listed = ada.page.locator("#keys dt").evaluate_all(
        "all => all.map(each => [...each.querySelectorAll('kbd')].map(key => key.textContent).join(' '))"
    )
    assert len(set(places)) == len(places)
    assert set(places) <= set(listed)


def test_a_long_name_of_a_customer_keeps_a_list_within_its_window(ada: Keyboard, world: Engine) -> None:
    long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft mbH & Co. KG"
    with world.begin() as connection:
        connection.execute(text("update golden set name = :name where domain = 'customer'"), {"name": long})
    ada.page.goto("/console/contracts")
    assert ada.page.locator(".scroll").first.evaluate("each => each.scrollWidth <= each.clientWidth")
