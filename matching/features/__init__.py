"""Columns derived from a record's comparison form: text keys, token lists and numbers that conditions can read.

Derived values are columns, never functions inside a condition, so that any engine that sees the columns scores alike.
A domain of somebody's own has the columns that its profile declares, taken from the comparison form as they are.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from matching.features.contract import (
    CONTRACT_COLUMNS,
    CONTRACT_FORMS,
    CONTRACT_KEY_COLUMNS,
    contract_features,
    contract_keys,
)
from matching.features.customer import (
    CUSTOMER_COLUMNS,
    CUSTOMER_FORMS,
    CUSTOMER_KEY_COLUMNS,
    customer_features,
    customer_keys,
)
from matching.features.product import (
    PRODUCT_COLUMNS,
    PRODUCT_FORMS,
    PRODUCT_KEY_COLUMNS,
    product_features,
    product_keys,
)
from matching.features.values import Features, Kind, given_features

__all__ = [
    "COLUMNS",
    "DISTINCT_IN",
    "FORMS",
    "KEY_COLUMNS",
    "OWN_NAMES",
    "Features",
    "Kind",
    "derive",
    "derive_all",
    "derive_keys",
    "derive_once",
]

#: The table of a record, where that table is trusted to hold no duplicates; every domain has this column.
DISTINCT_IN = "distinct_in"

#: The columns that exist per domain; a model that misuses one is refused at load.
COLUMNS: Mapping[str, Mapping[str, Kind]] = {
    "customer": {**CUSTOMER_COLUMNS, DISTINCT_IN: Kind.TEXT},
    "contract": {**CONTRACT_COLUMNS, DISTINCT_IN: Kind.TEXT},
    "product": {**PRODUCT_COLUMNS, DISTINCT_IN: Kind.TEXT},
}

#: What of a comparison form is read per domain; whatever else a record has there changes nothing.
FORMS: Mapping[str, frozenset[str]] = {
    "customer": CUSTOMER_FORMS,
    "contract": CONTRACT_FORMS,
    "product": PRODUCT_FORMS,
}

#: Columns that hold the names of the record itself, which others have only where they refer to it.
OWN_NAMES = frozenset({"kin", "self"})

#: Further columns that blocking rules may name.
KEY_COLUMNS: Mapping[str, Mapping[str, Kind]] = {
    "customer": CUSTOMER_KEY_COLUMNS,
    "contract": CONTRACT_KEY_COLUMNS,
    "product": PRODUCT_KEY_COLUMNS,
}

# A record is derived when it is compared, and again with whatever links reach. The latest are kept, some 5 kB each:
# those of a large batch, and a feed that touches the same customers for a while finds most of them here.
_KEPT = 20_000
# This many at once would displace each other.
_MANY = _KEPT // 2


class _Form:
    """A comparison form by what it says; it is let go once its columns are known."""

    __slots__ = ("_document", "form")

    def __init__(self, form: Mapping[str, Any]) -> None:
        self._document = orjson.dumps(form, option=orjson.OPT_SORT_KEYS)
        self.form: Mapping[str, Any] | None = form

    def __hash__(self) -> int:
        return hash(self._document)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Form) and self._document == other._document


def derive(domain: str, comparison: Mapping[str, Any], common_tokens: frozenset[str]) -> Features:
    """The columns of one record that comparisons read. Unknown values are absent; lists are sorted, distinct and never
    empty.

    The result is shared between calls and must not be changed.
    """
    return _derive(domain, _Form(comparison), common_tokens)


def derive_all(domain: str, comparisons: Sequence[Mapping[str, Any]], common_tokens: frozenset[str]) -> list[Features]:
    """What `derive` gives for each of these. So many that they would displace each other are not kept."""
    if len(comparisons) >= _MANY:
        return [_features(domain, comparison, common_tokens) for comparison in comparisons]
    return [derive(domain, comparison, common_tokens) for comparison in comparisons]


@lru_cache(maxsize=_KEPT)
def _derive(domain: str, stated: _Form, common_tokens: frozenset[str]) -> Features:
    form, stated.form = stated.form, None
    assert form is not None
    return _features(domain, form, common_tokens)


def derive_once(domain: str, comparison: Mapping[str, Any], common_tokens: frozenset[str]) -> Features:
    """What `derive_keys` gives, for a record that is seen once: nothing is remembered."""
    return _with_keys(domain, comparison, _features(domain, comparison, common_tokens), common_tokens)


def _features(domain: str, comparison: Mapping[str, Any], common_tokens: frozenset[str]) -> Features:
    columns = _columns(domain, comparison, common_tokens)
    distinct_in = comparison.get(DISTINCT_IN)
    return {**columns, DISTINCT_IN: distinct_in} if distinct_in else columns


def _columns(domain: str, comparison: Mapping[str, Any], common_tokens: frozenset[str]) -> Features:
    if domain == "customer":
        return customer_features(comparison, common_tokens)
    if domain == "contract":
        return contract_features(comparison)
    if domain == "product":
        return product_features(comparison)
    return given_features(comparison)


def derive_keys(domain: str, comparison: Mapping[str, Any], common_tokens: frozenset[str]) -> Features:
    """The columns of one record that blocking reads: those of `derive` and further ones."""
    return _with_keys(domain, comparison, derive(domain, comparison, common_tokens), common_tokens)


def _with_keys(
    domain: str, comparison: Mapping[str, Any], features: Features, common_tokens: frozenset[str]
) -> Features:
    if domain == "customer":
        return customer_keys(comparison, features, common_tokens)
    if domain == "contract":
        return contract_keys(comparison, features)
    return product_keys(features) if domain == "product" else features
