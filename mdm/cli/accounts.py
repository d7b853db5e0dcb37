"""Commands about people who sign in to the console with a password."""

from dataclasses import asdict

import typer

from mdm.access import Role
from mdm.cli.context import JSON_OPTION, hub, print_json, print_table
from mdm.errors import NotFound
from mdm.store import accounts as store

accounts = typer.Typer(no_args_is_help=True)


@accounts.command("create")
def create(
    username: str = typer.Argument(..., help="How the person signs in."),
    name: str = typer.Option("", help="The person's name, as others see it."),
    role: Role = typer.Option(Role.STEWARD, help="steward or admin."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Create an account. Its password is made up and shown once; the hub keeps a hash only."""
    with hub() as opened, opened.engine.begin() as connection:
        password = store.create_account(connection, username, name, role)
    if as_json:
        print_json({"username": username.lower(), "role": role.value, "password": password})
    else:
        typer.echo(password)


@accounts.command("password")
def password(username: str = typer.Argument(...), as_json: bool = JSON_OPTION) -> None:
    """Give an account a new password, shown once; also lets it in again after too many wrong ones."""
    with hub() as opened, opened.engine.begin() as connection:
        secret = store.set_password(connection, username)
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
        print_json([asdict(each) for each in found])
        return
    rows = [[each.username, each.name, each.role.value, each.created_at, each.disabled_at] for each in found]
    print_table("Accounts", ("user", "name", "role", "created", "disabled"), rows)


@accounts.command("disable")
def disable(username: str = typer.Argument(...)) -> None:
    """End an account at once, with its open sessions."""
    with hub() as opened, opened.engine.begin() as connection:
        ended = store.disable(connection, username, opened.clock())
    if not ended:
        raise NotFound(f"There is no active account {username}.", action="`mdm accounts list` shows all of them.")
    typer.echo(f"{username} can no longer sign in.")
