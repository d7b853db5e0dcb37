"""Contracts: their numbers, lines, terms and values."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from mdm.intake.standardise.document_numbers import further_number_forms, number_form, number_forms, number_stems
from mdm.intake.standardise.plain import date_of, days_of, decimal_of
from mdm.intake.standardise.result import UNKNOWN, Context, Inputs, Standardised
from mdm.intake.standardise.text import tidy

_DAYS_PER_MONTH: Final = Decimal("30.4375")


def own_number(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `own_number`: the number that this row carries as its own."""
    return _number(inputs, "own_number")


def stated_number(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `stated_number`: the number of the same contract in another platform, and others beside it."""
    return _number(inputs, "stated_number")


def stated_numbers(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `stated_numbers`: as `stated_number`, as a list."""
    found = stated_number(inputs, context)
    return found if found.value is None else Standardised([found.value], found.comparison)


def _number(inputs: Inputs, name: str) -> Standardised:
    for given in inputs:
        form = number_form(given.text)
        if form is not None:
            return Standardised(tidy(given.text), {name: form, **_forms(given.text, alone=name == "own_number")})
    return UNKNOWN


def _forms(text: str, *, alone: bool) -> dict[str, Any]:
    forms, further = number_forms(text), () if alone else further_number_forms(text)
    stems = set(number_stems(text)).difference(forms)
    lists = {"numbers": (*forms, *further), "further_numbers": further, "number_stems": stems}
    return {name: sorted(values) for name, values in lists.items() if values}


def lines(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `lines`: the parts `product`, `quantity` and `unit_price` of every line."""
    parts: dict[str, list[Any]] = {}
    for given in inputs:
        parts.setdefault(given.part, []).append(given.value)
    products = parts.get("product", [])
    if not products or context.target is None:
        return UNKNOWN
    system, table = context.target
    quantities, prices = parts.get("quantity", []), parts.get("unit_price", [])
    return Standardised(
        [
            {
                "product": {"system": system, "type": table, "key": str(product)},
                "quantity": _decimal_text(quantities, position),
                "unit_price": _decimal_text(prices, position),
            }
            for position, product in enumerate(products)
        ]
    )


def _decimal_text(values: list[Any], position: int) -> str | None:
    number = decimal_of(values[position]) if position < len(values) else None
    return None if number is None else format(number, "f")


def start(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `start`: the first day."""
    return _day(inputs, "start")


def end(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `end`: the last day."""
    return _day(inputs, "end")


def _day(inputs: Inputs, name: str) -> Standardised:
    for given in inputs:
        found = date_of(given.value)
        if found is not None:
            return Standardised(found, {name: days_of(found)})
    return UNKNOWN


def period(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `period`: parts `start` and `end` of the current billing period; for comparison only."""
    comparison = {}
    for given in inputs:
        found = date_of(given.value)
        if found is not None:
            comparison[f"period_{given.part}"] = days_of(found)
    return Standardised(None, comparison)


def derived_terms(attributes: Mapping[str, Any], comparison: Mapping[str, Any]) -> dict[str, Any]:
    """Comparison values that follow from others: the term in months, the value, and the value of one year."""
    derived: dict[str, Any] = {}
    months = attributes.get("term_months")
    if months is None and "start" in comparison and "end" in comparison:
        months = round((comparison["end"] - comparison["start"] + 1) / _DAYS_PER_MONTH)
    if months and months > 0:
        derived["term_months"] = months
    value = decimal_of(attributes.get("value"))
    if value is not None:
        derived["value"] = float(value)
        if months and months > 0:
            derived["annual_value"] = round(float(value) * 12 / months, 2)
    if attributes.get("currency"):
        derived["currency"] = attributes["currency"].lower()
    return derived
