"""Digests that two hubs with the same facts share: independent of ids, order of arrival and time."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from mdm.model.ids import CrosswalkKey
from survivorship.values import AttributeLineage, Consolidated, Overridden


def golden_digest(members: Iterable[CrosswalkKey], values: Mapping[str, Any]) -> bytes:
    """SHA-256 over the sorted member keys and the golden values as JSON with sorted keys."""
    content = [sorted(list(key) for key in members), values]
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()


def surviving_support(surviving: Consolidated) -> bytes:
    """SHA-256 over what the values rest on: winning and losing records, rules, search terms.

    Offsets are left out: a record that says the same again in a later event gives no new reason.
    """
    reasons = [(name, *_reason(each)) for name, each in surviving.lineage.items()]
    return hashlib.sha256(repr((reasons, sorted(surviving.search_terms))).encode()).digest()


def _reason(lineage: AttributeLineage | Overridden) -> tuple[object, ...]:
    losers = [(tuple(loser.record), loser.lost_by) for loser in lineage.runners_up]
    if isinstance(lineage, Overridden):
        return (lineage.override.override_id, lineage.rule, losers)
    elements = [
        (tuple(element.origin.record), element.rule, [tuple(loser.record) for loser in element.runners_up])
        for element in lineage.elements
    ]
    return (tuple(lineage.origin.record), lineage.rule, losers, elements)
