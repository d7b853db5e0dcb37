"""Commands as JSON and back: what history, proposals and bulk jobs keep of them."""

from typing import Any

import msgspec

from mdm.errors import Invalid
from mdm.model.stewardship import (
    Clear,
    Command,
    Confirm,
    Discard,
    EndRelation,
    JudgePair,
    JudgeTask,
    LetThrough,
    Merge,
    Pin,
    Relate,
    Restore,
    Split,
    Undo,
)

_KINDS: dict[str, type[Command]] = {
    "judge_task": JudgeTask,
    "judge_pair": JudgePair,
    "merge": Merge,
    "split": Split,
    "pin": Pin,
    "clear": Clear,
    "confirm": Confirm,
    "restore": Restore,
    "relate": Relate,
    "end_relation": EndRelation,
    "discard": Discard,
    "let_through": LetThrough,
    "undo": Undo,
}
_NAMES = {type_: name for name, type_ in _KINDS.items()}


def command_json(command: Command) -> dict[str, Any]:
    """The command as JSON values with its `command` kind."""
    content: dict[str, Any] = msgspec.to_builtins(command)
    return {"command": _NAMES[type(command)], **content}


def history_json(command: Command) -> dict[str, Any]:
    """The command as history keeps it: a pinned value stands with its override only, where it can be erased."""
    content = command_json(command)
    content.pop("value", None)
    return content


def read_command(content: dict[str, Any]) -> Command:
    """The command behind JSON values.

    Raises:
        Invalid: the values are no command.
    """
    parts = dict(content)
    type_ = _KINDS.get(str(parts.pop("command", "")))
    if type_ is None:
        raise Invalid(f"`command` must be one of {', '.join(_KINDS)}.")
    try:
        return msgspec.convert(parts, type=type_, strict=True)
    except msgspec.ValidationError as error:
        raise Invalid(f"The command cannot be read: {error}.") from error
