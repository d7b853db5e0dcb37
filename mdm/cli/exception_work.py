"""Commands about who looks after what could not be processed: take, hand over, put down."""

from getpass import getuser

import typer

from mdm.cli.context import JSON_OPTION, hub
from mdm.cli.exceptions import exceptions, tell_count
from mdm.cli.naming import meant_by
from mdm.errors import OperatorError
from mdm.hub.exception_work import Matters, OneException, hand_over, put_down, take
from mdm.hub.exceptions import Selection
from mdm.model.refused import Matter

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
