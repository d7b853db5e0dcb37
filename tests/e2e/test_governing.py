"""Governance by keyboard: data contracts with what broke them, who owns what, replays, privacy, administration."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine, text

from api.app import ApiOptions, create_app
from mdm.access import Permission, Role
from mdm.clock import system_clock
from mdm.hub.ownership import remember_ownership
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from mdm.intake.ownership import SHIPPED_OWNERSHIP, load_ownership
from mdm.model.ids import Domain
from mdm.store import accounts, api_keys
from tests.e2e import browsing
from tests.e2e.browsing import Keyboard
from tests.e2e.conftest import SignIn
from tests.e2e.test_mending import account_event, golden, later, told_why_not
from tests.e2e.test_reviewing import rows
from tests.integration.hub.test_erase import a_lonely_customer, dumped


@pytest.fixture
def pipeline(world: Engine) -> Pipeline:
    catalogue = load_catalogue(None)
    return Pipeline(world, system_clock, catalogue, load_rules(catalogue))


def test_a_contract_shows_what_broke_it_and_leads_to_the_row_and_the_exception(
    ada: Keyboard, world: Engine, pipeline: Pipeline
) -> None:
    row, message, value = account_event(world)
    value.get("payload", value)["after"]["number_of_employees"] = "many"
    value.get("payload", value)["after"]["surprise"] = 1
    refused = later(message, value)
    process(pipeline, "test", [refused])
    good = value | {}
    good.get("payload", good)["after"]["number_of_employees"] = 3
    told = later(message, good)
    process(pipeline, "test", [replace(told, place=told.place._replace(offset=told.place.offset + 1))])
    stored = rows(world, "select dead_letter_id, row_key from dead_letter where type = 'account'")
    drift = rows(world, "select code from exception where kind = 'contract_drift' and type = 'account'")
    assert len(stored) == 1
    assert drift

    ada.page.goto("/console/schemas")
    ada.press("Enter") if ada.page.locator("tr.current a[href$='crm/account']").count() else None
    ada.page.goto("/console/schemas/crm/account")
    expect(ada.page.locator("h1")).to_have_text("crm account")
    expect(ada.page.get_by_role("row", name="COLUMN_ADDED").first).to_be_visible()
    letter = ada.page.locator(f"a[href='/console/exceptions/letters/{stored[0].dead_letter_id}']")
    expect(letter).to_be_visible()
    ada.page.locator(f"a[href='/console/trace/crm/account/{row.key}']").focus()
    ada.press("Enter")
    expect(ada.page.locator("h1")).to_be_visible()
    assert f"/trace/crm/account/{row.key}" in ada.page.url


class TestOwnership:
    """With a matrix that has a gap."""

    @pytest.fixture
    def address(self, world: Engine, tmp_path: Path) -> Iterator[str]:
        matrix = tmp_path / "ownership.yaml"
        text = SHIPPED_OWNERSHIP.read_text("utf-8").replace('version: "1.0.0"', 'version: "1.1.0"')
        text = text.replace(
            "plan: {authority: product, it: product-platform}", "plan: {authority: crm, it: nobody-of-that-name}"
        )
        matrix.write_text(text, "utf-8")
        remember_ownership(world, system_clock, load_ownership())
        options = ApiOptions(log=lambda event, **facts: None, remember_keys_seconds=0, ownership=matrix)
        with browsing.serving(create_app(browsing.ServedHub(world), options)) as served:
            yield served

    def test_gaps_are_marked_in_words_and_versions_say_what_changed(self, ada: Keyboard) -> None:
        ada.page.goto("/console/ownership")
        expect(ada.page.locator("main")).to_contain_text("2 gaps.")
        ada.press("d")
        row = ada.page.get_by_role("row", name="Plan")
        expect(row).to_contain_text("crm is the authority and does not state it")
        expect(row).to_contain_text("nobody-of-that-name is not declared as an owner")
        expect(ada.page.locator("tbody").first.locator("tr")).to_have_count(1)
        expect(ada.page.locator(".timeline")).to_contain_text("customer.plan right is: product → crm")


def test_a_replay_is_tried_started_left_and_come_back_to(ada: Keyboard, world: Engine) -> None:
    row = rows(
        world,
        """select r.rec_id, r.key, x.entity_id from source_record r join crosswalk x using (rec_id)
           where r.system = 'crm' and r.type = 'account' and not r.deleted and r.attributes->>'industry' is not null
             and (select count(*) from crosswalk y where y.entity_id = x.entity_id) = 1 order by r.rec_id limit 1""",
    )[0]

    def named() -> None:
        ada.page.goto("/console/replay")
        ada.page.locator("#system").select_option("crm")
        ada.page.locator("#table").select_option("account")
        ada.page.locator("#key").focus()
        ada.type(row.key)
        ada.press("Escape")

    named()
    ada.press("p")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("no golden record would change")
    named()
    ada.press("m")
    expect(ada.page.locator("main")).to_contain_text("0 changes: everything was in line", timeout=30_000)
    assert rows(world, "select status, report->>'golden' from replay_job") == [("done", "0")]

    with world.begin() as connection:
        connection.execute(
            text("update golden set \"values\" = \"values\" - 'industry', digest = '' where entity_id = :id"),
            {"id": row.entity_id},
        )
    named()
    ada.press("p")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("1 golden record would change")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("Industry")
    assert "industry" not in golden(world, row.entity_id), "a dry run keeps nothing"
    named()
    ada.press("m")
    expect(ada.page.get_by_role("heading", name="What it did")).to_be_visible(timeout=30_000)
    assert golden(world, row.entity_id)["industry"]
    assert rows(world, "select actor, action from audit where action like 'replay%' order by seq") == [
        ("user:ada", "replay.start"), ("user:ada", "replay"), ("user:ada", "replay.start"), ("user:ada", "replay"),
    ]  # fmt: skip
    ada.page.goto("/console/replay")
    expect(ada.page.locator("tbody tr")).to_have_count(2)


def test_somebody_is_erased_by_two_persons_and_is_in_no_table_any_more(signed_in: SignIn, world: Engine) -> None:
    entity_id, name, needles = a_lonely_customer(world)
    ada, ben = signed_in("Ada"), signed_in("Ben")
    ada.page.goto("/console/privacy")
    ada.press("e")
    ada.type(name)
    ada.press("Enter")
    expect(ada.page.locator(f"a[href='/console/privacy/new?entity={entity_id}']")).to_be_visible()
    ada.page.locator(f"a[href='/console/privacy/new?entity={entity_id}']").focus()
    ada.press("Enter")
    ada.press("c")
    ada.type("case 4711")
    ada.press("Escape", "m")
    expect(ada.page.locator("h1")).to_have_text("Erasure 1")
    expect(ada.page.get_by_text("columns and all their history").first).to_be_visible()
    for key in ("x", "m", "n"):
        why = "Whoever asks for an erasure may not approve it, nor refuse it. Ask somebody else to look at it."
        told_why_not(ada, key, why)
    token = ada.page.locator("input[name=csrf]").first.get_attribute("value") or ""
    for what in ("approve", "reject"):
        sent = {"csrf": token, "sure": "yes", "comment": "mine"}
        assert ada.page.request.post(f"/console/privacy/1/{what}", form=sent).status == 403
    before = dumped(world)
    assert all(needle in before for needle in needles)

    ben.page.goto("/console/privacy")
    ben.press("Enter")
    expect(ben.page.locator("h1")).to_have_text("Erasure 1")
    ben.press("m")
    expect(ben.page.locator("[data-outcome]")).to_contain_text("cannot be undone")
    ben.press("x", "m")
    expect(ben.page.locator("[data-outcome]")).to_contain_text("was carried out", timeout=30_000)
    expect(ben.page.get_by_role("heading", name="Proof")).to_be_visible()

    after = dumped(world)
    assert [needle for needle in needles if needle.casefold() in after.casefold()] == []
    assert rows(world, "select status, requested_by, decided_by from erasure") == [
        ("carried_out", "user:ada", "user:ben")
    ]
    assert rows(world, "select actor from audit where action = 'subject_erased'") == [("user:ben",)]
    document = ben.page.request.get("/console/privacy/1/proof")
    assert document.json()["proof"]["suppressed"] >= 2
    assert not any(needle in document.text() for needle in needles)


def test_an_administrator_gives_and_takes_accounts_and_keys(signed_in: SignIn, world: Engine) -> None:
    clara = signed_in("Clara", Role.ADMIN)  # type: ignore[call-arg]
    clara.page.goto("/console/admin?tab=people")
    clara.press("e")
    clara.type("dora")
    clara.press("Tab")
    clara.type("Dora Ölmann")
    clara.press("Enter")
    password = clara.page.locator("#secret").inner_text()
    with world.begin() as connection:
        assert accounts.check_password(connection, "dora", password, system_clock()) is not None

    clara.page.goto("/console/admin?tab=clients")
    clara.press("e")
    clara.type("warehouse")
    clara.press("Enter")
    key = clara.page.locator("#secret").inner_text()
    bearer = {"Authorization": f"Bearer {key}"}
    assert clara.page.request.get("/v1/customers?limit=1", headers=bearer).status == 200
    clara.page.goto("/console/admin?tab=clients")
    clara.page.get_by_label("Change warehouse").press("Enter")
    clara.page.get_by_role("button", name="Revoke for ever").press("Enter")
    expect(clara.page.locator("[data-outcome]")).to_contain_text("revoked")
    assert clara.page.request.get("/v1/customers?limit=1", headers=bearer).status == 401

    clara.page.goto("/console/admin?tab=people")
    clara.page.get_by_label("Change Dora Ölmann").press("Enter")
    clara.page.get_by_role("row", name="Dora").get_by_role("button", name="End the account").press("Enter")
    expect(clara.page.locator("[data-outcome]")).to_contain_text("ended")
    with world.begin() as connection:
        assert accounts.check_password(connection, "dora", password, system_clock()) is None
    assert rows(world, "select actor, action, subject from audit where action like 'admin.%' order by seq")[0] == (
        "user:clara", "admin.create_account", "user:dora",
    )  # fmt: skip
    assert not rows(world, "select 1 from audit where detail::text like '%' || :secret || '%'", secret=password)
    assert rows(world, "select count(*) from audit where action like 'admin.%'") == [(4,)]


def test_a_steward_administers_nothing(signed_in: SignIn, world: Engine) -> None:
    ada = signed_in("Ada", Role.STEWARD)  # type: ignore[call-arg]
    ada.page.goto("/console/admin")
    expect(ada.page.get_by_role("link", name="People")).to_have_count(0)
    token = ada.page.locator("input[name=csrf]").first.get_attribute("value") or ""
    for what in ("create", "reset", "disable", "issue", "revoke"):
        fields: dict[str, str | float | bool] = {
            "csrf": token, "username": "eve", "role": "admin", "label": "eve", "key_id": "x",
        }  # fmt: skip
        assert ada.page.request.post(f"/console/admin/{what}", form=fields).status == 403, what
    for tab in ("people", "clients"):
        assert ada.page.request.get(f"/console/admin?tab={tab}").status == 403
    assert ada.page.request.get("/console/admin?tab=preview&id=cus_1&role=admin").status == 403
    assert rows(world, "select count(*) from console_account") == [(1,)]
    assert rows(world, "select count(*) from api_key") == [(0,)]


def test_what_is_seen_as_a_role_is_what_the_api_answers_to_it(signed_in: SignIn, world: Engine) -> None:
    clara = signed_in("Clara", Role.ADMIN)  # type: ignore[call-arg]
    for domain in Domain:
        entity_id = rows(
            world,
            """select entity_id from golden where known_to is null and domain = :domain
               order by members desc, entity_id limit 1""",
            domain=domain.value,
        )[0][0]
        for role in (role for role in Role if role.may(Permission.READ)):
            with world.begin() as connection:
                key = api_keys.issue_key(connection, role, f"{role} {domain}")
            answer = clara.page.request.get(
                f"/v1/{domain.plural}/{entity_id}", headers={"Authorization": f"Bearer {key}"}
            )
            clara.page.goto(f"/console/admin?tab=preview&id={entity_id}&role={role}")
            assert clara.page.locator("#api-answer").inner_text() == answer.text(), (domain, role)
            assert clara.page.locator("tbody .chip", has_text="masked").count() == len(answer.json()["masked"])


def test_a_close_is_signed_by_two_persons_and_taken_back_with_a_reason(signed_in: SignIn, world: Engine) -> None:
    ada, ben = signed_in("Ada"), signed_in("Ben")
    month = "2026-01"
    ada.page.goto(f"/console/close?month={month}")
    expect(ada.page.locator("#findings-wait")).to_have_count(0, timeout=120_000)
    ada.press("m")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("say why the month is closed all the same")
    ada.press("c")
    ada.type("two platforms are silent; seen by phone")
    ada.press("Escape", "m")
    expect(ada.page.locator("[data-outcome]")).to_contain_text("prepared")
    told_why_not(ada, "m", "Nobody reviews the close that they prepared. Ask somebody else to look at it.")
    token = ada.page.locator("input[name=csrf]").first.get_attribute("value") or ""
    assert ada.page.request.post("/console/close/review", form={"csrf": token, "month": month}).status == 403
    assert rows(world, "select month, prepared_by, reviewed_by from close_sign_off") == [(month, "user:ada", None)]

    ben.page.goto(f"/console/close?month={month}")
    expect(ben.page.get_by_text("waits for a second person", exact=True)).to_be_visible()
    ben.press("m")
    expect(ben.page.locator("[data-outcome]")).to_contain_text("signed off")
    expect(ben.page.get_by_text("two platforms are silent")).to_be_visible()

    ben.press("c")
    ben.type("an invoice came late")
    ben.press("Escape")
    ben.reach("Take back")
    ben.press("Enter")
    expect(ben.page.locator("[data-outcome]")).to_contain_text("open again")
    assert rows(world, "select reviewed_by, withdrawn_by, reason from close_sign_off") == [
        ("user:ben", "user:ben", "an invoice came late")
    ]
    assert rows(world, "select actor, action from audit where action like 'close.%' order by seq") == [
        ("user:ada", "close.prepare"), ("user:ben", "close.review"), ("user:ben", "close.withdraw"),
    ]  # fmt: skip
