"""Commands about API keys."""

from dataclasses import asdict

import typer

from mdm.access import Role
from mdm.cli.context import JSON_OPTION, hub, print_json, print_table
from mdm.errors import NotFound
from mdm.store import api_keys

keys = typer.Typer(no_args_is_help=True)


@keys.command("issue")
def issue(
    role: Role = typer.Option(..., help="reader, erp, steward or admin."),
    label: str = typer.Option(..., help="Who uses it."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Issue an API key. It is shown once; the hub keeps a hash only."""
    with hub() as opened, opened.engine.begin() as connection:
        key = api_keys.issue_key(connection, role, label)
    if as_json:
        print_json({"key": key, "role": role.value, "label": label})
    else:
        typer.echo(key)


@keys.command("list")
def list_command(as_json: bool = JSON_OPTION) -> None:
    """All keys with role, label and state."""
    with hub() as opened, opened.engine.connect() as connection:
        found = api_keys.list_keys(connection)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    rows = [[each.key_id, each.role.value, each.label, each.created_at, each.revoked_at] for each in found]
    print_table("API keys", ("id", "role", "label", "created", "revoked"), rows)


@keys.command("revoke")
def revoke(key_id: str = typer.Argument(..., help="The id from `mdm keys list`.")) -> None:
    """Revoke a key at once."""
    with hub() as opened, opened.engine.begin() as connection:
        revoked = api_keys.revoke(connection, key_id)
    if not revoked:
        raise NotFound(f"There is no live key {key_id}.", action="`mdm keys list` shows all keys.")
    typer.echo(f"{key_id} is revoked.")
