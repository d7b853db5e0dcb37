"""Shorthand for calling a standardiser."""

from collections.abc import Mapping
from typing import Any

from mdm.intake.standardise.registry import STANDARDISERS
from mdm.intake.standardise.result import Context, Given, Standardised


def standardised(
    name: str,
    *values: Any,
    country: str | None = None,
    codes: Mapping[str, str] | None = None,
    target: tuple[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    **parts: Any,
) -> Standardised:
    """The result of the standardiser `name` on values, or on values that play parts."""
    inputs = [Given(value, "", options or {}) for value in values]
    inputs += [Given(value, part, options or {}) for part, value in parts.items()]
    return STANDARDISERS[name](inputs, Context(country, False, codes or {}, target))
