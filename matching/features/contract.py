"""Columns of a contract: its numbers, term, value, and the entities it was resolved to refer to."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from matching.features.values import Columns, Features, distinct, kinds, number, put, text, texts

CONTRACT_COLUMNS = kinds(
    texts="own_number stated_number currency source_type customer product_set customer_start anniversary",
    lists="numbers self prior products evidence customer_product customer_month",
    numbers="start end term_months value annual_value period_start period_end from until",
)

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
    # A row that is a contract states its term; a subscription only its first day and its current period, which lies
    # inside the term of the contract that it bills now.
    start, end, period_start = (
        number(comparison, "start"),
        number(comparison, "end"),
        number(comparison, "period_start"),
    )
    if period_start is None:
        put(columns, "from", start)
        put(columns, "until", end)
    first = start if start is not None else period_start
    if first is not None:
        put(columns, "anniversary", (date(1970, 1, 1) + timedelta(days=int(first))).strftime("%m-%d"))
    products = texts(comparison, "products")
    put(columns, "product_set", "+".join(products))
    customer = text(comparison, "customer")
    if customer:
        put(columns, "customer_product", distinct(f"{customer}|{product}" for product in products))
        if start is not None:
            put(columns, "customer_start", f"{customer}|{int(start)}")
            month = int(start // _DAYS_PER_MONTH)
            put(columns, "customer_month", distinct(f"{customer}|{near}" for near in (month, month + 1)))
    return columns
