"""Numbers, amounts and times as people read them."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from mdm.store.read_console import MOST_ADDED, MOST_COUNTED

#: What tells accounts from keys, before the name.
_ACCOUNTS = re.compile(r"(?<![\w.:/-])(?:user|oidc):(?=\w)")
_STEPS = ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min"))


def person(name: str) -> str:
    """Who somebody is to other people: their name without what tells accounts from keys."""
    return name.partition(":")[2] if name.startswith(("user:", "oidc:")) else name


#: What proposals ask for.
_ASKED = {
    "same": "merge",
    "not_same": "not a match",
    "clear": "clear an override",
    "discard": "discard refused messages",
    "let_through": "a sensitive change for ERP",
    "relate": "a parent",
    "end_relation": "end a relation",
}


def proposal(kind: str) -> str:
    """What a proposal asks for."""
    return _ASKED.get(kind, kind.replace("_", " "))


def plainly(value: Any) -> str:
    """A value of an entry of the audit in one line, without the signs of a programming language."""
    if value is None or value in ([], {}):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {plainly(each)}" for name, each in value.items())
    if isinstance(value, list):
        between = "; " if any(isinstance(each, Mapping) for each in value) else ", "
        return between.join(map(plainly, value))
    return str(value)


def named(text: str) -> str:
    """A sentence with people called by their names, as everywhere else."""
    return _ACCOUNTS.sub("", text)


def number(value: int | float | None) -> str:
    """A number with thin spaces between thousands."""
    if value is None:
        return "–"
    return f"{value:,}".replace(",", "\u202f")


def counted(value: int, most: int = MOST_COUNTED - 1) -> str:
    """A number that was counted up to one more than `most`."""
    return number(value) if value <= most else f"{number(most)}+"


def added(value: int) -> str:
    """A number of open work that was counted up to one more than `MOST_ADDED`."""
    return counted(value, MOST_ADDED)


def amount(value: Decimal | str | None, currency: str | None = None) -> str:
    """Money without cents where they say nothing: it is for judging, not for booking. What is masked stays as it is."""
    if value is None:
        return "–"
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    text = f"{exact:,.0f}" if abs(exact) >= 1000 or exact == exact.to_integral() else f"{exact:,.2f}"
    return f"{text.replace(',', chr(0x202F))} {currency}" if currency else text.replace(",", "\u202f")


def amounts(by_currency: Mapping[str, Any]) -> str:
    """Sums per currency, the largest first; never added up across currencies."""
    some = [(currency, value) for currency, value in by_currency.items() if Decimal(str(value))]
    ordered = sorted(some, key=lambda each: -Decimal(str(each[1])))
    return ", ".join(amount(value, currency) for currency, value in ordered)


def percent(share: float | None) -> str:
    """A share in percent; never rounded to a certainty that is none."""
    if share is None:
        return "–"
    if 0 < share < 0.01 or 0.99 < share < 1:
        return f"{share * 100:.2f}\u202f%"
    return f"{share * 100:.0f}\u202f%"


def seconds(length: float | None) -> str:
    """A length of time in seconds, as exact as it is worth reading: 0.37 s, 4.2 s, 3 600 s."""
    if length is None:
        return "–"
    exact = f"{length:.2f}" if length < 1 else f"{length:.1f}" if length < 10 else f"{length:,.0f}"
    return f"{exact.replace(',', chr(0x202F))}\u202fs"


def span(length: float | None) -> str:
    """A length of time in the one unit that matters: 12 s, 4 min, 3 h, 2 d."""
    if length is None:
        return "–"
    for step, unit in _STEPS:
        if length >= step.total_seconds():
            return f"{length / step.total_seconds():.0f}\u202f{unit}"
    return seconds(length)


def day(moment: datetime | None) -> str:
    """A date."""
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d}"


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago, or how long until, in the one unit that matters."""
    if moment is None:
        return "never"
    span = now - moment
    length = abs(span)
    for step, unit in _STEPS:
        if length >= step:
            text = f"{length // step}\u202f{unit}"
            return f"{text} ago" if span > timedelta() else f"in {text}"
    return "now"
