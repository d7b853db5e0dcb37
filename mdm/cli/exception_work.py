"""Commands about who looks after what could not be processed, and which rows it is about."""

from getpass import getuser

import typer

from mdm.cli.context import JSON_OPTION, hub, print_json
from mdm.cli.exceptions import exceptions, tell_count
from mdm.cli.naming import exception_number, meant_by
from mdm.errors import NotFound, OperatorError
from mdm.hub.exception_work import Matters, OneException, hand_over, put_down, take
from mdm.hub.exceptions import Selection
from mdm.model.refused import Matter
from mdm.store.keyless import records_of

__all__ = ["exceptions"]

_NAME = typer.Argument(..., metavar="ID", help="A dead letter (D12) or an exception (E12).")
_ALIKE = typer.Option(False, "--alike", help="With a dead letter: all open ones of its kind.")


@exceptions.command("take")
def take_command(name: str = _NAME, alike: bool = _ALIKE, as_json: bool = JSON_OPTION) -> None:
    """Look after a dead letter, all of its kind, or an exception. What somebody else has is handed over by them."""
    with hub() as opened:
        taken = take(opened.engine, opened.clock, _matters(name, alike), getuser())
    tell_count("taken", taken, as_json)


@exceptions.command("hand-over")
def hand_over_command(
    name: str = _NAME,
    to: str = typer.Option(..., "--to", help="To whom, as the console names them, such as user:ada."),
    alike: bool = _ALIKE,
    as_json: bool = JSON_OPTION,
) -> None:
    """Give a dead letter, all of its kind, or an exception to somebody, also away from somebody else."""
    with hub() as opened:
        given = hand_over(opened.engine, opened.clock, _matters(name, alike), to, getuser())
    tell_count("handed_over", given, as_json)


@exceptions.command("put-down")
def put_down_command(name: str = _NAME, alike: bool = _ALIKE, as_json: bool = JSON_OPTION) -> None:
    """Give a dead letter, all of its kind, or an exception back to everybody."""
    with hub() as opened:
        put = put_down(opened.engine, opened.clock, _matters(name, alike), getuser())
    tell_count("put_down", put, as_json)


@exceptions.command("records")
def records_command(
    exception_id: int = typer.Argument(
        ..., metavar="ID", help="An exception about rows without a usable key: E12.", parser=exception_number
    ),
    limit: int = typer.Option(50, "--limit", min=1, help="At most this many."),
    after: str = typer.Option("", "--after", help="Go on behind this key."),
    as_json: bool = JSON_OPTION,
) -> None:
    """All source rows that an exception is about, by key."""
    with hub() as opened, opened.engine.connect() as connection:
        found = records_of(connection, exception_id, limit, after)
    if found is None:
        raise NotFound(
            f"There is no exception {exception_id}.", action="`mdm exceptions list` has those that are open."
        )
    if as_json:
        print_json([each._asdict() for each in found])
        return
    for each in found:
        typer.echo(str(each))


def _matters(name: str, alike: bool) -> Matters:
    """What a name means, with its letter: to take the wrong one would keep somebody else from it."""
    meant = meant_by(name)
    if meant.matter is None:
        raise OperatorError(
            f"{meant.number} may be a dead letter or an exception.", action=f"Say D{meant.number} or E{meant.number}."
        )
    if meant.matter is Matter.DEAD_LETTER:
        return Selection(like=meant.number) if alike else Selection(ids=(meant.number,))
    if alike:
        raise OperatorError("An exception has no others of its kind.", action="Leave --alike out.")
    return OneException(meant.number)
