"""The blocking rules that two records meet: without one they are never compared."""

from collections.abc import Mapping
from typing import Any

from matching.blocking import block_keys, dynamic_keys
from matching.model import MatchModel


def shared_keys(model: MatchModel, a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[str, ...]:
    """`rule = value` of every key that two comparison forms share, sorted."""
    shared = {*block_keys(model, a)} & {*block_keys(model, b)}
    rules = {f"{key.rule} = {key.value}" for key in shared}
    rules |= {f"stated about both = {token}" for token in {*a.get("tokens", ())} & {*b.get("tokens", ())}}
    if a.get("customer") is not None and a.get("customer") == b.get("customer"):
        joined = {*dynamic_keys(model, a)} & {*dynamic_keys(model, b)}
        rules |= {f"same customer, {key.rule}" for key in joined}
    return tuple(sorted(rules))
