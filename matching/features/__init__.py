"""Columns derived from a record's comparison form: text keys, token lists and numbers that conditions can read.

Derived values are columns, never functions inside a condition, so that any engine that sees the columns scores alike.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from matching.features.contract import CONTRACT_COLUMNS, contract_features
from matching.features.customer import CUSTOMER_COLUMNS, customer_features
from matching.features.product import PRODUCT_COLUMNS, product_features
from matching.features.values import Features, Kind

__all__ = ["COLUMNS", "Features", "Kind", "derive"]

#: The columns that exist per domain; a model that misuses one is refused at load.
COLUMNS: Mapping[str, Mapping[str, Kind]] = {
    "customer": CUSTOMER_COLUMNS,
    "contract": CONTRACT_COLUMNS,
    "product": PRODUCT_COLUMNS,
}


# A record is derived again for every batch in which it is a candidate. This many of the latest are kept, some 5 kB each;
# a feed that touches the same customers for a while finds most of them here.
_KEPT = 20_000


def derive(domain: str, comparison: Mapping[str, Any], common_tokens: frozenset[str]) -> Features:
    """All columns of one record. Unknown values are absent; lists are sorted, distinct and never empty.

    The result is shared between calls and must not be changed.
    """
    return _derive(domain, orjson.dumps(comparison, option=orjson.OPT_SORT_KEYS), common_tokens)


@lru_cache(maxsize=_KEPT)
def _derive(domain: str, document: bytes, common_tokens: frozenset[str]) -> Features:
    comparison = orjson.loads(document)
    if domain == "customer":
        return customer_features(comparison, common_tokens)
    if domain == "contract":
        return contract_features(comparison)
    return product_features(comparison)
