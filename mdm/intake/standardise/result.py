"""What goes into a standardiser and what comes out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias


class Given(NamedTuple):
    """One source value, the part that it plays (`street`, `city`, ...), and what the mapping says of it."""

    value: Any
    part: str
    options: Mapping[str, str]

    @property
    def text(self) -> str:
        """The value as text; empty for a null."""
        return "" if self.value is None else str(self.value).replace("\0", "")


Inputs: TypeAlias = Sequence[Given]


@dataclass(frozen=True, slots=True)
class Context:
    """What a standardiser may know beside its inputs: the record's country and the mapping's own settings."""

    #: ISO 3166-1 alpha-2, upper case: what the row states, or else what its numbers and domains let assume.
    country: str | None = None
    assumed: bool = False
    #: Codes of the source to canonical codes.
    codes: Mapping[str, str] = field(default_factory=dict)
    #: Platform and table that a reference points at.
    target: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Standardised:
    """`value` is the canonical attribute (None: unknown), `comparison` the folded forms, `rejected` why it fell."""

    value: Any = None
    comparison: Mapping[str, Any] = field(default_factory=dict)
    rejected: str | None = None
    #: A country that the value gives away: the prefix of a VAT or phone number (strong), a web domain's (weak).
    country: str | None = None
    strong: bool = False


UNKNOWN: Final = Standardised()
