"""Values that a contract's column cannot hold although they are of its kind: too long, too large, too fine, not listed.

A platform that widens a column or adds a word to an enumeration announces it nowhere; the first such value tells it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from mdm.intake.contracts import Contract
from mdm.intake.refusal import Deviation
from mdm.intake.types import Kind, column_limit


class Limits:
    """The limits of one contract's columns, laid out for a fast look at every row."""

    def __init__(self, contract: Contract) -> None:
        self._physical = {name: column.physical for name, column in contract.columns.items()}
        self._values = [(name, column.values) for name, column in contract.columns.items() if column.values]
        self._lengths: list[tuple[str, int]] = []
        self._ranges: list[tuple[str, int, int]] = []
        self._scales: list[tuple[str, int]] = []
        for name, column in contract.columns.items():
            limit = column_limit(column.physical)
            if column.type.kind is Kind.TEXT and limit.length is not None:
                self._lengths.append((name, limit.length))
            if column.type.kind is Kind.INTEGER and limit.lowest is not None and limit.highest is not None:
                self._ranges.append((name, limit.lowest, limit.highest))
            if column.type.kind is Kind.DECIMAL and limit.scale is not None:
                self._scales.append((name, limit.scale))

    def exceeded_by(self, values: Mapping[str, Any]) -> list[Deviation]:
        """Every column whose value does not fit; never names the value."""
        return list(self._exceeded(values))

    def _exceeded(self, values: Mapping[str, Any]) -> Iterator[Deviation]:
        get = values.get
        for name, most in self._lengths:
            value = get(name)
            if value is not None and len(value) > most:
                yield self._widened(name, f"a text of {len(value)} characters")
        for name, lowest, highest in self._ranges:
            value = get(name)
            if value is not None and not lowest <= value <= highest:
                yield self._widened(name, "a larger number")
        for name, scale in self._scales:
            value = get(name)
            if type(value) is str and len(value) - (value.find(".") + 1 or len(value)) > scale:
                yield self._widened(name, f"more than {scale} digits after the point")
        for name, allowed in self._values:
            value = get(name)
            if value is not None and value not in allowed:
                yield Deviation("ENUM_VALUE_NEW", name, f"Column {name} has a value that the contract does not list.")

    def _widened(self, name: str, what: str) -> Deviation:
        return Deviation(
            "COLUMN_WIDENED", name, f"Column {name} should be {self._physical[name]}; the event has {what}."
        )
