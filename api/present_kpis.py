"""Figures as the API tells them."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from api.present import key_object
from mdm.hub.kpis import InvoiceAccuracy
from mdm.lifecycle.billed_usage import BilledLine, UnbilledBatch, Unit

#: Lines that an answer shows; all are counted.
_SHOWN = 100


def accuracy_object(found: InvoiceAccuracy) -> dict[str, Any]:
    """How right the invoices of a period are."""
    figures = found.figures
    counts = ("lines", "agreeing", "accuracy", "without_usage", "unknown", "unbilled", "repeated", "unpriced")
    return {
        "as_of": found.as_of,
        "period": asdict(found.period),
        **{name: getattr(figures, name) for name in counts},
        "units": [_unit_object(each) for each in figures.units],
        "differing": len(figures.differences),
        "leakage": {currency: format(amount, "f") for currency, amount in sorted(figures.leakage.items())},
        "leaked": [_batch_object(each) for each in figures.leaked[:_SHOWN]],
        "differences": [_line_object(each) for each in figures.differences[:_SHOWN]],
    }


def _unit_object(unit: Unit) -> dict[str, Any]:
    same = {name: getattr(unit, name) for name in ("unit", "lines", "agreeing", "accuracy")}
    return same | {name: format(getattr(unit, name), "f") for name in ("billed", "accepted", "over", "under")}


def _batch_object(batch: UnbilledBatch) -> dict[str, Any]:
    same = {name: getattr(batch, name) for name in ("ended_on", "customer", "product", "currency")}
    return {"batch": key_object(batch.key), "quantity": _text(batch.quantity), "amount": _text(batch.amount)} | same


def _text(number: Decimal | None) -> str | None:
    return None if number is None else format(number, "f")


def _line_object(line: BilledLine) -> dict[str, Any]:
    same = {name: getattr(line, name) for name in ("number", "issued_on", "product", "unit")}
    quantities = {name: format(getattr(line, name), "f") for name in ("billed", "accepted", "difference")}
    worth = {"amount": _text(line.amount), "currency": line.currency}
    return {"invoice": key_object(line.invoice)} | same | quantities | worth
