"""By keyboard: a vendor's data contract is answered, one's own taken back; scorecard and mapping are read."""

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

from api.console import beside
from mdm.access import Role, Scope
from mdm.clock import system_clock
from mdm.hub import contract_proposals
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.hub.steward import Actor
from mdm.intake.catalogue import SHIPPED_SOURCES, load_catalogue
from mdm.store import api_keys
from tests.e2e.browsing import Keyboard
from tests.e2e.conftest import SignIn
from tests.e2e.test_mending import told_why_not
from tests.e2e.test_reviewing import rows
from tests.e2e.test_walking import told

CRM = (SHIPPED_SOURCES / "crm" / "contract.odcs.yaml").read_text("utf-8")


def proposed(world: Engine, document: str) -> None:
    """What the vendor of the CRM proposes."""
    catalogue = load_catalogue(None)
    pipeline = Pipeline(world, system_clock, catalogue, load_rules(catalogue))
    with world.begin() as connection:
        key = api_keys.issue_key(connection, Role.VENDOR, "maker of the CRM", Scope(sources=frozenset({"crm"})))
    vendor = Actor(key.split("_")[1], Role.VENDOR)
    contract_proposals.propose(pipeline, vendor, catalogue, "Segments move elsewhere", document)


def test_what_would_break_readers_is_seen_and_turned_down_with_a_reason(ada: Keyboard, world: Engine) -> None:
    gone = "".join(line for line in CRM.splitlines(keepends=True) if "name: segment__c" not in line)
    proposed(world, gone.replace("version: 1.0.0", "version: 2.0.0", 1))
    ada.page.goto("/console/schemas")
    ada.press("p")
    expect(ada.page.locator("h1")).to_have_text("Proposed data contracts")
    expect(ada.page.locator("tr.current")).to_contain_text("breaks readers")
    expect(ada.page.locator("tr.current")).to_contain_text("maker of the CRM")
    ada.press("Enter")
    expect(ada.page.locator("h1")).to_have_text("Contract proposal 1: Segments move elsewhere")
    expect(ada.page.locator("tr.current")).to_contain_text("Segment")
    expect(ada.page.locator("main")).to_contain_text("The hub could not read by it.")

    ada.press("n")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("Give a reason of 1 to 500 characters.")
    assert rows(world, "select status from contract_proposal") == [("proposed",)]
    ada.press("c")
    ada.type("segments are read by three teams")
    ada.press("Escape", "n")
    told(ada, "Contract proposal 1 is rejected.")
    assert rows(world, "select status, decider, reason from contract_proposal") == [
        ("rejected", "user:ada", "segments are read by three teams")
    ]
    expect(ada.page.locator(".decide")).to_have_count(0)


def test_a_contract_is_proposed_from_the_one_in_force_answered_by_another_or_taken_back(
    signed_in: SignIn, world: Engine
) -> None:
    ada, ben = signed_in("Ada"), signed_in("Ben")
    ada.page.goto("/console/schemas/proposals")
    ada.press("e")
    expect(ada.page.locator("h1")).to_contain_text("Propose a data contract")
    ada.page.locator("#system").select_option("crm")
    ada.reach("Start from its contract in force")
    ada.press("Enter")
    expect(ada.page.locator("h1")).to_have_text("Propose a data contract: crm")
    ada.press("c")
    ada.type("Nothing new")
    ada.press("Escape", "m")
    told(ada, "The document says what is in force already.")
    expect(ada.page.locator("#title")).to_have_value("Nothing new")

    wider = CRM.replace("version: 1.0.0", "version: 1.1.0", 1).replace("varchar(255)", "varchar(300)", 1)
    for title in ("Longer names", "Longer names, again"):
        ada.page.goto("/console/schemas/proposals/new?system=crm")
        ada.page.locator("#document").fill(f"{wider}# {title}\n")
        ada.page.locator("#title").fill(title)
        ada.press("Escape", "m")
        told(ada, "waits for somebody else")
        told_why_not(ada, "m", "Nobody decides about a contract that they proposed. Ask somebody else to look.")
    ada.press("c")
    ada.type("said already")
    ada.press("Escape", "z")
    told(ada, "Contract proposal 2 is withdrawn.")

    ben.press("g", "a")
    expect(ben.page.locator("main")).to_contain_text("1 proposed data contract waits for an answer")
    ben.page.goto("/console/schemas/proposals")
    ben.press("Enter")
    expect(ben.page.locator("main")).to_contain_text("The hub can read by it")
    ben.press("c")
    ben.type("names are cut today")
    ben.press("Escape", "m")
    told(ben, "Contract proposal 1 is approved.")
    expect(ben.page.locator("main")).to_contain_text("mdm contracts take-over 1")
    assert rows(world, "select status, author, decider from contract_proposal order by proposal_id") == [
        ("approved", "user:ada", "user:ben"), ("withdrawn", "user:ada", "user:ada"),
    ]  # fmt: skip


def test_the_scorecard_is_reached_made_stricter_and_leads_to_what_is_behind_and_to_the_report(ada: Keyboard) -> None:
    ada.press("g", "s")
    expect(ada.page.locator("#figures-wait")).to_have_count(0, timeout=60_000)
    expect(ada.page.locator("h1")).to_have_text("Scorecard of governance")
    expect(ada.page.get_by_role("region", name="Measures").locator("tbody tr")).to_have_count(12)
    ada.press("e")
    ada.type("100")
    ada.press("Enter")
    expect(ada.page.locator("tr.current")).to_contain_text("missed")
    expect(ada.page.locator("tr.current td").last).not_to_be_empty()
    ada.press("Enter")
    expect(ada.page.locator("h1")).not_to_have_text("Scorecard of governance")

    ada.page.goto("/console/governance")
    ada.press("p")
    expect(ada.page.locator("h1")).to_have_text("How this hub is governed")
    expect(ada.page.locator("table").first).to_have_css("border-collapse", "collapse")  # its style is allowed


def test_a_page_that_waited_for_its_figures_shows_them_by_itself(
    ada: Keyboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "_PATIENCE", 0.0)
    ada.page.goto("/console/governance")
    expect(ada.page.locator("main")).to_contain_text("Governance is being measured")
    expect(ada.page.locator("main")).to_contain_text("Mean of the measures", timeout=60_000)


def test_what_nothing_reads_is_found_from_the_list_of_tables(ada: Keyboard) -> None:
    ada.page.goto("/console/mapping")
    while ada.page.locator("tr.current a[href$='/crm/account']").count() == 0:
        ada.press("j")
    ada.press("Enter")
    expect(ada.page.locator("h1")).to_have_text("crm account")
    ada.press("d")
    expect(ada.page.locator("tbody tr").first).to_contain_text("nothing reads it")
    expect(ada.page.get_by_role("row", name=re.compile("^segment__c"))).to_have_count(0)
    ada.press("d")
    expect(ada.page.get_by_role("row", name=re.compile("^segment__c"))).to_have_count(1)
    ada.page.goto("/console/mapping/revenue")
    expect(ada.page.locator("#figures-wait")).to_have_count(0, timeout=60_000)
    expect(ada.page.locator("main")).to_contain_text("Active products mapped")
