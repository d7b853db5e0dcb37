"""Options by which commands give roles and a scope, the command that gives another scope, and how one is told."""

from collections.abc import Callable
from typing import TypeAlias

import typer
from sqlalchemy import Engine

from mdm.access import EVERYTHING, POLICY, Permission, Purpose, Role, Scope, read_role, read_scope
from mdm.cli.context import hub, operator
from mdm.clock import Clock
from mdm.errors import Invalid
from mdm.hub.steward import Actor
from mdm.model.canonical import DataClass
from mdm.model.ids import Domain

_ROLES = "; ".join(f"{role}: {grant.purpose}" for role, grant in POLICY.items())
_PEOPLE = "; ".join(
    f"{role}: {grant.purpose}" for role, grant in POLICY.items() if Permission.CONSOLE in grant.permissions
)
ROLE = typer.Option(
    ..., "--role", help=f"Repeat for more than one. {_ROLES}. Also reader (viewer) and erp (erp_reader)."
)
PERSON_ROLE = typer.Option(["steward"], "--role", help=f"Repeat for more than one. {_PEOPLE}.")
REGION = typer.Option(None, "--region", help="Reaches golden records of this region; repeat for more.")
UNIT = typer.Option(None, "--business-unit", help="Reaches golden records of this business unit; repeat for more.")
LEGAL_ENTITY = typer.Option(None, "--legal-entity", help="Reaches golden records of this legal entity; repeatable.")
SOURCE = typer.Option(None, "--source", help="Reaches golden records that this platform knows; repeat for more.")
PURPOSE = typer.Option(None, "--purpose", help="Reads for this purpose only, and sees no more than it needs.")
DOMAIN = typer.Option(None, "--domain", help="Reaches this domain: customer, contract or product; repeat for more.")
DATA_CLASS = typer.Option(None, "--data-class", help="Sees values up to this class, if the role would see more.")


def roles_of(names: list[str]) -> Role:
    """The roles of these options.

    Raises:
        Invalid: one does not exist.
    """
    return read_role("+".join(names))


def scope_from(
    regions: list[str] | None,
    units: list[str] | None,
    legal_entities: list[str] | None,
    domains: list[Domain] | None,
    data_class: DataClass | None,
    sources: list[str] | None = None,
    purpose: Purpose | None = None,
) -> Scope:
    """The scope of these options; what was not given is not limited.

    Raises:
        Invalid: a label cannot be one.
    """
    given = {
        "regions": regions or None,
        "business_units": units or None,
        "legal_entities": legal_entities or None,
        "domains": [each.value for each in domains] if domains else None,
        "data_class": data_class.value if data_class is not None else None,
        "sources": sources or None,
        "purpose": purpose.value if purpose is not None else None,
    }
    return read_scope({name: value for name, value in given.items() if value is not None})


#: Gives somebody another scope.
Limit: TypeAlias = Callable[[Engine, Clock, Actor, str, Scope], None]


def scope_command(app: typer.Typer, limit: Limit, whose: str, metavar: str, holds: str) -> None:
    """Add the command `scope`, which gives an account or a key another scope in place of the one it has.

    Args:
        whose: what `metavar` names: "account", "key".
        holds: from when it holds.
    """

    @app.command("scope", help=f"Give {whose} another scope, in place of the one it has. It holds {holds}.")
    def scope(
        name: str = typer.Argument(..., metavar=metavar),
        region: list[str] | None = REGION,
        business_unit: list[str] | None = UNIT,
        legal_entity: list[str] | None = LEGAL_ENTITY,
        domain: list[Domain] | None = DOMAIN,
        data_class: DataClass | None = DATA_CLASS,
        source: list[str] | None = SOURCE,
        purpose: Purpose | None = PURPOSE,
        everything: bool = typer.Option(False, "--everything", help="No limits."),
    ) -> None:
        given = scope_from(region, business_unit, legal_entity, domain, data_class, source, purpose)
        if (given == EVERYTHING) is not everything:
            raise Invalid(f"Say either what {whose} may reach, or --everything.")
        with hub() as opened:
            limit(opened.engine, opened.clock, operator(), name, given)
        typer.echo(f"{name} reaches {told(given)}.")


def told(scope: Scope) -> str:
    """A scope in one line."""
    if scope == EVERYTHING:
        return "everything"
    parts = scope.as_json()
    return "; ".join(f"{name} {', '.join(each) if isinstance(each, list) else each}" for name, each in parts.items())
