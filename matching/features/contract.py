"""Columns of a contract: its numbers, term, value, and the entities it was resolved to refer to."""

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any

from matching.features.values import Columns, Features, distinct, kinds, number, put, text, texts

CONTRACT_COLUMNS = kinds(
    texts="number own_number currency source_type customer product_set",
    lists="numbers told_numbers told_series number_series own_numbers holder self prior products evidence",
    numbers="counted start end term_months value annual_value period_start period_end from until",
)
#: What is read of a record's comparison form, beside its own name.
CONTRACT_FORMS = frozenset(
    [
        "own_number",
        "stated_number",
        "numbers",
        "further_numbers",
        "number_stems",
        "prior",
        "currency",
        "source_type",
        "customer",
        "products",
        "tokens",
        "start",
        "end",
        "term_months",
        "value",
        "annual_value",
        "period_start",
        "period_end",
    ]
)
_SERIES = re.compile(r"([a-z]+)?\d+(?:[a-z].*)?")
_PADDING = re.compile(r"\A([a-z]*)0+(?=\d)")
_AT_END = re.compile(r"\d{1,12}\Z")
#: Digits that a counter may move; those before them, two at most, tell counters apart.
_COUNTED = 4
_RANGE = 2
#: Columns that only blocking reads.
CONTRACT_KEY_COLUMNS = kinds(texts="deal", lists="number_keys customer_product customer_dates")


def contract_features(comparison: Mapping[str, Any]) -> Features:
    columns: Columns = {}
    if customer := text(comparison, "customer"):
        # Two ids may differ in one sign and are two customers all the same: a digest knows no slips of the pen.
        put(columns, "holder", (f"customer:{sha256(customer.encode()).hexdigest()[:16]}",))
    for key in ("currency", "source_type", "customer"):
        put(columns, key, text(comparison, key))
    for key in ("self", "prior", "products"):
        put(columns, key, texts(comparison, key))
    _numbers(columns, comparison)
    put(columns, "evidence", texts(comparison, "tokens"))
    for key in ("start", "end", "term_months", "value", "annual_value", "period_start", "period_end"):
        put(columns, key, number(comparison, key))
    products = texts(comparison, "products")
    put(columns, "product_set", "+".join(products))
    # A row that is a contract states its term; a subscription states its first day, which may lie in an earlier
    # contract, and its current period, which lies inside the term of the contract that it bills now.
    if "period_start" not in columns:
        put(columns, "from", number(comparison, "start"))
        put(columns, "until", number(comparison, "end"))
    return columns


def _numbers(columns: Columns, comparison: Mapping[str, Any]) -> None:
    own, forms = text(comparison, "own_number"), texts(comparison, "numbers")
    told = own or text(comparison, "stated_number")
    put(columns, "number", told)
    put(columns, "own_number", own)
    put(columns, "numbers", distinct((*forms, *map(_unpadded, forms))))
    # A text may state further numbers: an order that several contracts cite.
    first = set(forms).difference(texts(comparison, "further_numbers"))
    put(columns, "told_numbers", distinct((*first, *map(_unpadded, first))))
    put(columns, "told_series", distinct(map(_series, first)))
    put(columns, "number_series", distinct(_series(form) for form in forms))
    at_end = _AT_END.search(told or "")
    put(columns, "counted", float(at_end[0]) if at_end is not None else None)
    # No contract has two numbers of one series, so they part contracts (`cannot_link`).
    if own:
        put(columns, "own_numbers", distinct(_of_series(own, forms)))


def _of_series(own: str, forms: tuple[str, ...]) -> list[str]:
    """The number of a row under each series that it may be of. Behind letters, digits that signs part are counted by
    themselves: who writes them without the signs does not say which zeros may be left out.
    """
    letters = found[1] if (found := _SERIES.fullmatch(own)) is not None else None
    grouped = [form for form in forms if letters and "." in form and _are_groups_of(form, own)]
    stated = [(series, form) for form in forms if own.endswith(form) and (series := _series(form))]
    single = [(series, form) for series, form in stated if not (grouped and series == letters)]
    return [
        *(f"number/{series}:{_unpadded(form)}" for series, form in single),
        *(f"groups/{letters}:{form}" for form in grouped),
    ]


@lru_cache(16_384)
def _are_groups_of(form: str, number: str) -> bool:
    """`ab12.45` of `ab00120045`: the groups of its digits without the zeros before each."""
    return re.fullmatch(re.sub(r"\d+", r"0*\g<0>", form).replace(".", ""), number) is not None


def _unpadded(number: str) -> str:
    """Without the zeros with which some platforms fill numbers up."""
    return _PADDING.sub(r"\1", number)


def contract_keys(comparison: Mapping[str, Any], features: Features) -> Features:
    """What only blocking reads."""
    columns: Columns = {}
    # A part, an annex or an amendment is found by the number that it begins with, and is compared by its own.
    put(columns, "number_keys", distinct((*texts(features, "numbers"), *texts(comparison, "number_stems"))))
    start, end, value = (number(comparison, key) for key in ("start", "end", "value"))
    if "from" in features and start is not None and end is not None and value:
        columns["deal"] = f"{start:.0f}|{end:.0f}|{value:.2f}|{text(comparison, 'currency')}"
    customer, products = text(comparison, "customer"), texts(comparison, "products")
    if customer:
        put(columns, "customer_product", distinct(f"{customer}|{product}" for product in products))
        dates = (number(comparison, key) for key in ("start", "end", "period_start", "period_end"))
        put(columns, "customer_dates", distinct(f"{customer}|{_month(day)}" for day in dates if day is not None))
    return {**features, **columns}


def _series(number: str) -> str:
    """Which counter may have given a number: its letters in front, or else its length and first digits. Empty: unknown.

    Platforms number by themselves: the CRM's CT-2024-000123 and the ERP's 40000007 are of two series and may be one
    contract; two numbers of one series are two contracts.
    """
    found = _SERIES.fullmatch(number)
    if found is None:
        return ""
    if found[1]:
        return found[1]
    digits = number.lstrip("0")
    return f"{len(digits)}:{digits[: min(_RANGE, max(0, len(digits) - _COUNTED))]}" if digits.isdigit() else ""


def _month(day: float) -> int:
    """Days in spans of a month; the last day of a term and the first of the next are mostly in one."""
    return int((day + 1) // 30.4375)
