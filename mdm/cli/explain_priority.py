"""The command that tells why a dead letter stands where it stands."""

import typer

from mdm.cli.context import JSON_OPTION, hub, many, print_json, reconciliation_of
from mdm.cli.exception_work import exceptions
from mdm.cli.naming import meant_by
from mdm.cli.priorities import explained, print_explained
from mdm.core.refused_order import priority, waiting
from mdm.errors import NotFound, OperatorError
from mdm.hub import steward as desk
from mdm.hub.exceptions import Selection
from mdm.hub.worklist import rank_refused
from mdm.model.refused import Matter, named
from mdm.store.read_letter_groups import dead_letter_groups


@exceptions.command("explain-priority")
def explain_priority(
    name: str = typer.Argument(..., metavar="ID", help="An open dead letter: D12."), as_json: bool = JSON_OPTION
) -> None:
    """Why a dead letter stands where it stands: every part of its priority, with money, close and customers behind it.
    Those of a kind stand together."""
    meant = meant_by(name)
    if meant.matter is Matter.EXCEPTION:
        raise OperatorError(
            f"{name} has no priority: exceptions about tables stand by when they were seen last.",
            action="Name a dead letter: D12.",
        )
    with hub() as opened:
        now = opened.clock()
        rank_refused(
            opened.engine,
            now,
            desk.load_policy(opened.settings.steward_policy),
            reconciling=reconciliation_of(opened),
        )
        with opened.engine.connect() as connection:
            found = dead_letter_groups(connection, Selection(like=meant.number), limit=1)
    if not found or found[0]["rank"] is None:
        raise NotFound(
            f"There is no open dead letter {meant.number}.", action="`mdm exceptions list` has those that are open."
        )
    group = found[0]
    parts: list[tuple[float, str]] = [*group["parts"], waiting(group["first_seen"], now)]
    told = explained(named(Matter.DEAD_LETTER, meant.number), priority(group["rank"], now), parts, group["impact"])
    if as_json:
        print_json(told | {"messages": group["letters"], "amounts": group["amounts"]})
    else:
        print_explained(told, f"{many(group['letters'], 'message')} of its kind")
