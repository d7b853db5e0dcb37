"""Names of dead letters and exceptions as arguments of commands: D12, E12, or a number where one kind can be meant."""

from mdm.errors import OperatorError
from mdm.model.refused import Matter, MatterName, named, read_name


def meant_by(text: str) -> MatterName:
    """What an argument names.

    Raises:
        OperatorError: it is no name.
    """
    found = read_name(text)
    if found is None:
        raise OperatorError(
            f"{text!r} names neither a dead letter nor an exception.", action="Dead letters are D12, exceptions E12."
        )
    return found


def letter_number(text: str) -> int:
    """The number of a dead letter, where nothing else can be meant."""
    return _only(Matter.DEAD_LETTER, text, "Exceptions are closed with `mdm exceptions resolve {name}`.")


def exception_number(text: str) -> int:
    """The number of an exception, where nothing else can be meant."""
    return _only(
        Matter.EXCEPTION, text, "Dead letters are mended, fed again or discarded: `mdm exceptions show {name}`."
    )


def _only(matter: Matter, text: str, action: str) -> int:
    found = meant_by(text)
    if found.matter not in (None, matter):
        kinds = {Matter.DEAD_LETTER: "a dead letter", Matter.EXCEPTION: "an exception"}
        other = found.matter or matter
        name = named(other, found.number)
        raise OperatorError(f"{name} is {kinds[other]}, and not {kinds[matter]}.", action=action.format(name=name))
    return found.number
