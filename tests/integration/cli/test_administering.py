"""Accounts and keys by command: every change is in the audit chain, in one transaction with it."""

from getpass import getuser

import pytest
from sqlalchemy import Engine, text

from mdm.access import Role
from mdm.clock import system_clock
from mdm.errors import Invalid, NotFound
from mdm.hub import admin
from mdm.hub.steward import Actor
from mdm.store import accounts, api_keys
from tests.integration.cli.conftest import Command, printed

BOSS = Actor("boss", Role.ADMIN)


def audited(engine: Engine) -> list[tuple[str, str, str]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("select actor, action, subject from audit order by seq"))]


def test_commands_about_people_and_keys_are_audited(mdm: Command, engine: Engine) -> None:
    mdm("accounts", "create", "Ada", "--name", "Ada", "--region", "EMEA")
    mdm("accounts", "password", "ada")
    told = mdm("accounts", "scope", "ada", "--region", "AMER").stdout
    mdm("accounts", "disable", "ada")
    key_id = printed(mdm("keys", "issue", "--role", "erp", "--label", "SAP", "--json"))["key"].split("_")[1]
    everything = mdm("keys", "scope", key_id, "--everything").stdout
    mdm("keys", "revoke", key_id)

    assert told == "ada reaches regions AMER.\n"
    assert everything == f"{key_id} reaches everything.\n"
    assert audited(engine) == [
        (getuser(), "admin.create_account", "user:ada"),
        (getuser(), "admin.reset_password", "user:ada"),
        (getuser(), "admin.limit_account", "user:ada"),
        (getuser(), "admin.disable_account", "user:ada"),
        (getuser(), "admin.issue_key", "SAP"),
        (getuser(), "admin.limit_key", key_id),
        (getuser(), "admin.revoke_key", key_id),
    ]


@pytest.mark.parametrize(
    "arguments",
    [("keys", "revoke", "nobody"), ("accounts", "disable", "nobody"), ("keys", "scope", "x", "--everything")],
)
def test_what_is_not_there_is_said_and_not_audited(mdm: Command, engine: Engine, arguments: tuple[str, ...]) -> None:
    with pytest.raises(NotFound):
        mdm(*arguments)

    assert audited(engine) == []


@pytest.mark.parametrize("group", ["keys", "accounts"])
@pytest.mark.parametrize("options", [(), ("--everything", "--region", "EMEA")])
def test_another_scope_is_said_clearly(mdm: Command, group: str, options: tuple[str, ...]) -> None:
    with pytest.raises(Invalid, match="--everything"):
        mdm(group, "scope", "somebody", *options)


def test_a_change_whose_audit_fails_has_not_happened(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(admin, "write_audit", fail)

    for change in (
        lambda: admin.issue_client(engine, system_clock, BOSS, Role.ERP, "SAP"),
        lambda: admin.create_person(engine, system_clock, BOSS, "ada", "Ada", Role.STEWARD),
    ):
        with pytest.raises(ZeroDivisionError):
            change()

    with engine.connect() as connection:
        assert (list(api_keys.list_keys(connection)), list(accounts.list_accounts(connection))) == ([], [])
        assert connection.scalar(text("select count(*) from batch where cause = 'admin'")) == 0


def test_a_change_that_fails_leaves_no_trace(engine: Engine) -> None:
    with pytest.raises(NotFound):
        admin.revoke_client(engine, system_clock, BOSS, "nobody")

    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from batch where cause = 'admin'")) == 0
    assert audited(engine) == []
