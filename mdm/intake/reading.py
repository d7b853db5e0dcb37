"""What a reader is: a function from a connector's JSON value to the canonical form of a column."""

from collections.abc import Callable
from typing import Any, TypeAlias

# A value as JSON gives it; its kind is what a reader checks.
JsonValue: TypeAlias = Any
Reader: TypeAlias = Callable[[JsonValue], JsonValue]


class Unreadable(ValueError):
    """A value that is not what the contract and the connector's settings say."""
