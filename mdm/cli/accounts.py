"""Commands about people who sign in to the console with a password."""

from dataclasses import asdict

import typer

from mdm.access import Purpose
from mdm.cli.context import JSON_OPTION, hub, operator, print_json, print_table
from mdm.cli.scopes import (
    DATA_CLASS,
    DOMAIN,
    LEGAL_ENTITY,
    PERSON_ROLE,
    PURPOSE,
    REGION,
    SOURCE,
    UNIT,
    roles_of,
    scope_command,
    scope_from,
    told,
)
from mdm.hub import admin
from mdm.model.canonical import DataClass
from mdm.model.ids import Domain
from mdm.store import accounts as store

accounts = typer.Typer(no_args_is_help=True)


@accounts.command("create")
def create(
    username: str = typer.Argument(..., help="How the person signs in."),
    name: str = typer.Option("", help="The person's name, as others see it."),
    role: list[str] = PERSON_ROLE,
    region: list[str] | None = REGION,
    business_unit: list[str] | None = UNIT,
    legal_entity: list[str] | None = LEGAL_ENTITY,
    domain: list[Domain] | None = DOMAIN,
    data_class: DataClass | None = DATA_CLASS,
    source: list[str] | None = SOURCE,
    purpose: Purpose | None = PURPOSE,
    as_json: bool = JSON_OPTION,
) -> None:
    """Create an account. Its password is made up and shown once; the hub keeps a hash only."""
    held, scope = roles_of(role), scope_from(region, business_unit, legal_entity, domain, data_class, source, purpose)
    with hub() as opened:
        password = admin.create_person(opened.engine, opened.clock, operator(), username, name, held, scope)
    if as_json:
        shown = {"username": username.lower(), "role": str(held), "scope": scope.as_json(), "password": password}
        print_json(shown)
    else:
        typer.echo(password)


@accounts.command("password")
def password(username: str = typer.Argument(...), as_json: bool = JSON_OPTION) -> None:
    """Give an account a new password, shown once; also lets it in again after too many wrong ones."""
    with hub() as opened:
        secret = admin.reset_password(opened.engine, opened.clock, operator(), username)
    if as_json:
        print_json({"username": username.lower(), "password": secret})
    else:
        typer.echo(secret)


@accounts.command("list")
def list_command(as_json: bool = JSON_OPTION) -> None:
    """All accounts with role and state."""
    with hub() as opened, opened.engine.connect() as connection:
        found = store.list_accounts(connection)
    if as_json:
        print_json([{**asdict(each), "role": str(each.role), "scope": each.scope.as_json()} for each in found])
        return
    rows = [
        [each.username, each.name, str(each.role), told(each.scope), each.created_at, each.disabled_at]
        for each in found
    ]
    print_table("Accounts", ("user", "name", "role", "scope", "created", "disabled"), rows)


@accounts.command("roles")
def roles(username: str = typer.Argument(...), role: list[str] = PERSON_ROLE) -> None:
    """Give an account other roles, in place of those it has. Its open sessions end."""
    held = roles_of(role)
    with hub() as opened:
        admin.give_person_roles(opened.engine, opened.clock, operator(), username, held)
    typer.echo(f"{username} is {held}.")


scope_command(accounts, admin.limit_person, "the account", "USERNAME", "from the next sign-in")


@accounts.command("disable")
def disable(username: str = typer.Argument(...)) -> None:
    """End an account at once, with its open sessions."""
    with hub() as opened:
        admin.disable_person(opened.engine, opened.clock, operator(), username)
    typer.echo(f"{username} can no longer sign in.")
