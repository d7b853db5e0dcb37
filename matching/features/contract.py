"""Columns of a contract: its numbers, term, value, and the entities it was resolved to refer to."""

from collections.abc import Mapping
from typing import Any

from matching.features.values import Columns, Features, distinct, kinds, number, put, text, texts

CONTRACT_COLUMNS = kinds(
    texts="number currency source_type customer product_set",
    lists="numbers self prior products evidence",
    numbers="start end term_months value annual_value period_start period_end from until",
)
#: What is read of a record's comparison form, beside its own name.
CONTRACT_FORMS = frozenset(
    [
        "own_number",
        "stated_number",
        "numbers",
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
#: Columns that only blocking reads.
CONTRACT_KEY_COLUMNS = kinds(texts="deal", lists="customer_product customer_dates")


def contract_features(comparison: Mapping[str, Any]) -> Features:
    columns: Columns = {}
    for key in ("currency", "source_type", "customer"):
        put(columns, key, text(comparison, key))
    for key in ("numbers", "self", "prior", "products"):
        put(columns, key, texts(comparison, key))
    put(columns, "number", text(comparison, "own_number") or text(comparison, "stated_number"))
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


def contract_keys(comparison: Mapping[str, Any], features: Features) -> Features:
    """What only blocking reads."""
    columns: Columns = {}
    start, end, value = (number(comparison, key) for key in ("start", "end", "value"))
    if "from" in features and start is not None and end is not None and value:
        columns["deal"] = f"{start:.0f}|{end:.0f}|{value:.2f}|{text(comparison, 'currency')}"
    customer, products = text(comparison, "customer"), texts(comparison, "products")
    if customer:
        put(columns, "customer_product", distinct(f"{customer}|{product}" for product in products))
        dates = (number(comparison, key) for key in ("start", "end", "period_start", "period_end"))
        put(columns, "customer_dates", distinct(f"{customer}|{_month(day)}" for day in dates if day is not None))
    return {**features, **columns}


def _month(day: float) -> int:
    """Days in spans of a month; the last day of a term and the first of the next are mostly in one."""
    return int((day + 1) // 30.4375)
