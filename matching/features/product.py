"""Columns of a product: forms of its codes, name tokens, and what separates variants (edition, version, metering)."""

from collections.abc import Mapping
from typing import Any

from matching.features.values import Columns, Features, distinct, kinds, put, text, texts

PRODUCT_COLUMNS = kinds(
    texts="gtin name edition version family unit name_compact sorted_name variant",
    lists="codes code_parts name_tokens self token_pairs evidence",
)


def product_features(comparison: Mapping[str, Any]) -> Features:
    columns: Columns = {}
    for key in ("gtin", "name", "edition", "version", "family", "unit"):
        put(columns, key, text(comparison, key))
    for key in ("codes", "self", "name_tokens"):
        put(columns, key, texts(comparison, key))
    put(columns, "code_parts", texts(comparison, "code_parts"))
    put(columns, "evidence", texts(comparison, "tokens"))
    tokens = texts(comparison, "name_tokens")
    name = text(comparison, "name")
    if name:
        put(columns, "name_compact", name.replace(" ", ""))
        put(columns, "sorted_name", " ".join(sorted(name.split())))
    put(columns, "token_pairs", distinct(f"{a}+{b}" for i, a in enumerate(tokens) for b in tokens[i + 1 :]))
    return columns
