"""A store of products in families with known truth: every name is sold in three editions, and rows say which."""

import random
from typing import Any

_NAMES = ("atlas", "borea", "cirro", "delta", "ember", "fjord", "gamma", "helio", "indus", "jade", "krona", "lumen")
_KINDS = ("backup", "mail", "planner", "ledger", "portal")
_EDITIONS = ("starter", "professional", "enterprise")


def families(size: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Records in comparison form, and the product that each is: three rows of each of three editions of each name,
    some misspelt, two thirds with a code."""
    draw = random.Random(5)
    records: list[dict[str, Any]] = []
    products: list[str] = []
    for number in range(size):
        words = (_NAMES[number % 12], _KINDS[(number // 12 + number) % 5])
        for edition in _EDITIONS:
            for platform in ("billing", "crm", "erp"):
                spelt = " ".join(words) if draw.random() < 0.8 else f"{words[0]} {words[1][:-1]}"
                record: dict[str, Any] = {
                    "name": spelt,
                    "name_tokens": sorted(spelt.split()),
                    "edition": edition,
                    "self": [f"{platform}:product:{number}{edition}"],
                }
                if draw.random() < 0.67:
                    parts = [words[0][:3], words[1][:3], edition[:3]]
                    record |= {"codes": ["".join(parts)], "code_parts": sorted(parts)}
                records.append(record)
                products.append(f"{number}:{edition}")
    return records, products
