"""Columns of a contract: its numbers, term, value, and the entities it was resolved to refer to."""

from collections.abc import Mapping
from typing import Any

from matching.features.values import Columns, Features, distinct, number, put, text, texts

CONTRACT_COLUMNS = frozenset(
    {
        "numbers", "own_number", "stated_number", "start", "end", "term_months", "value", "annual_value", "currency",
        "period_start", "period_end", "source_type", "self", "prior", "customer", "products", "product_set",
        "evidence", "customer_start", "customer_product", "customer_month",
    }
)  # fmt: skip

_DAYS_PER_MONTH = 30.44


def contract_features(comparison: Mapping[str, Any]) -> Features:
    columns: Columns = {}
    for key in ("own_number", "stated_number", "currency", "source_type", "customer"):
        put(columns, key, text(comparison, key))
    for key in ("numbers", "self", "prior", "products"):
        put(columns, key, texts(comparison, key))
    put(columns, "evidence", texts(comparison, "tokens"))
    for key in ("start", "end", "term_months", "value", "annual_value", "period_start", "period_end"):
        put(columns, key, number(comparison, key))
    products = texts(comparison, "products")
    put(columns, "product_set", "+".join(products))
    customer, start = text(comparison, "customer"), number(comparison, "start")
    if customer:
        put(columns, "customer_product", distinct(f"{customer}|{product}" for product in products))
        if start is not None:
            put(columns, "customer_start", f"{customer}|{int(start)}")
            month = int(start // _DAYS_PER_MONTH)
            put(columns, "customer_month", distinct(f"{customer}|{near}" for near in (month, month + 1)))
    return columns
