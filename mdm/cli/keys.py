"""Commands about API keys."""

from dataclasses import asdict

import typer

from mdm.access import Purpose
from mdm.cli.context import JSON_OPTION, hub, operator, print_json, print_table
from mdm.cli.scopes import (
    DATA_CLASS,
    DOMAIN,
    LEGAL_ENTITY,
    PURPOSE,
    REGION,
    ROLE,
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
from mdm.store import api_keys

keys = typer.Typer(no_args_is_help=True)


@keys.command("issue")
def issue(
    role: list[str] = ROLE,
    label: str = typer.Option(..., help="Who uses it."),
    region: list[str] | None = REGION,
    business_unit: list[str] | None = UNIT,
    legal_entity: list[str] | None = LEGAL_ENTITY,
    domain: list[Domain] | None = DOMAIN,
    data_class: DataClass | None = DATA_CLASS,
    source: list[str] | None = SOURCE,
    purpose: Purpose | None = PURPOSE,
    as_json: bool = JSON_OPTION,
) -> None:
    """Issue an API key. It is shown once; the hub keeps a hash only. Without a scope it reaches everything."""
    held, scope = roles_of(role), scope_from(region, business_unit, legal_entity, domain, data_class, source, purpose)
    with hub() as opened:
        key = admin.issue_client(opened.engine, opened.clock, operator(), held, label, scope)
    if as_json:
        print_json({"key": key, "role": str(held), "label": label, "scope": scope.as_json()})
    else:
        typer.echo(key)


@keys.command("list")
def list_command(as_json: bool = JSON_OPTION) -> None:
    """All keys with role, label and state."""
    with hub() as opened, opened.engine.connect() as connection:
        found = api_keys.list_keys(connection)
    if as_json:
        print_json([{**asdict(each), "role": str(each.role), "scope": each.scope.as_json()} for each in found])
        return
    rows = [
        [each.key_id, str(each.role), each.label, told(each.scope), each.created_at, each.revoked_at] for each in found
    ]
    print_table("API keys", ("id", "role", "label", "scope", "created", "revoked"), rows)


@keys.command("roles")
def roles(key_id: str = typer.Argument(..., help="The id from `mdm keys list`."), role: list[str] = ROLE) -> None:
    """Give a key other roles, in place of those it has. They hold within seconds."""
    held = roles_of(role)
    with hub() as opened:
        admin.give_client_roles(opened.engine, opened.clock, operator(), key_id, held)
    typer.echo(f"{key_id} is {held}.")


scope_command(keys, admin.limit_client, "the key", "KEY_ID", "within seconds")


@keys.command("revoke")
def revoke(key_id: str = typer.Argument(..., help="The id from `mdm keys list`.")) -> None:
    """Revoke a key at once."""
    with hub() as opened:
        admin.revoke_client(opened.engine, opened.clock, operator(), key_id)
    typer.echo(f"{key_id} is revoked.")
