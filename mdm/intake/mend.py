"""Mending one refused message by hand: single values of its JSON, named by a path; the rest stays as it came."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from mdm.errors import OperatorError

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def mend(value: bytes | None, edits: Sequence[tuple[str, str]]) -> bytes:
    """The message value with edits such as `("after.employees", "12")` applied, in order.

    A new value is JSON; what is no JSON is taken as text. An empty new value takes the key out. Behind an embedded
    schema the path starts inside `payload`.

    Raises:
        OperatorError: the value is no JSON, or a path leads nowhere.
    """
    try:
        document = msgspec.json.decode(value or b"")
    except msgspec.DecodeError as fault:
        raise OperatorError(
            f"The message is no JSON ({fault}), so single values cannot be set.",
            action="Give the whole mended value with --value FILE.",
        ) from fault
    wrapped = isinstance(document, dict) and "payload" in document and "schema" in document
    inner = document["payload"] if wrapped else document
    for path, text in edits:
        _set(inner, path, text)
    return msgspec.json.encode(document)


def _set(document: Any, path: str, text: str) -> None:
    steps: list[str | int] = [name or int(index) for name, index in _STEP.findall(path)]
    if not steps:
        raise _nowhere(path)
    *way, last = steps
    place: Any = document  # any JSON
    for step in way:
        place = _at(place, step, path)
    if text == "":
        if type(place) not in (dict, list):
            raise _nowhere(path)  # a character of a text has a place, and cannot be taken out of it
        _at(place, last, path)
        del place[last]
        return
    if isinstance(place, list):
        _at(place, last, path)
    elif not isinstance(place, dict):
        raise _nowhere(path)
    place[last] = _value(text)


def _at(place: Any, step: str | int, path: str) -> Any:
    try:
        return place[step]
    except (KeyError, IndexError, TypeError) as fault:
        raise _nowhere(path) from fault


def _nowhere(path: str) -> OperatorError:
    return OperatorError(
        f"The message has nothing at {path}.", action="`mdm exceptions show ID` prints the message with its names."
    )


def _value(text: str) -> Any:
    try:
        return msgspec.json.decode(text.encode())
    except msgspec.DecodeError:
        return text
