"""Columns of a product: forms of its codes, name tokens, and what separates variants (edition, version, metering)."""

from collections.abc import Mapping
from typing import Any

from matching.features.values import Columns, Features, distinct, kinds, put, text, texts

PRODUCT_COLUMNS = kinds(
    texts="gtin name edition stated_edition version family unit name_compact sorted_words form",
    lists="codes code_stems code_parts words numbers self evidence",
)
#: What is read of a record's comparison form, beside its own name.
PRODUCT_FORMS = frozenset(["gtin", "name", "edition", "version", "family", "unit", "tokens", "codes", "code_parts"])
#: Columns that only blocking reads.
PRODUCT_KEY_COLUMNS = kinds(texts="variant", lists="word_heads word_pairs")

#: Parts at the end of a code that tell where or since when a product is sold, not which product it is.
_CODE_SUFFIXES = frozenset(
    [
        "old",
        "new",
        "us",
        "usa",
        "eu",
        "emea",
        "apac",
        "row",
        "uk",
        "na",
        "latam",
        "int",
        "intl",
        "obsolete",
        "legacy",
        "retired",
    ]
)
#: Words of a name that say how a product is sold rather than what it is; their meaning is kept in `form`.
_METERED = frozenset(["api", "apis", "metered", "usage", "consumption"])
_METERED_FILLERS = frozenset(["call", "calls", "requests", "request", "units"])
_BUNDLE = frozenset(["suite", "bundle", "pack", "package", "kit", "bdl"])
_HEAD = 4


def product_features(comparison: Mapping[str, Any]) -> Features:
    columns: Columns = {}
    for key in ("gtin", "name", "edition", "family", "unit"):
        put(columns, key, text(comparison, key))
    put(columns, "self", texts(comparison, "self"))
    put(columns, "evidence", texts(comparison, "tokens"))
    _codes(columns, comparison)
    name = text(comparison, "name")
    if name is not None:
        _words(columns, comparison, name)
    return columns


def _codes(columns: Columns, comparison: Mapping[str, Any]) -> None:
    codes, parts = texts(comparison, "codes"), texts(comparison, "code_parts")
    put(columns, "codes", codes)
    put(columns, "code_parts", parts)
    put(columns, "code_stems", distinct(_stem(code, parts) for code in codes))


def _stem(code: str, parts: tuple[str, ...]) -> str:
    """A code without region, age and copy marks that were set apart at its end (`NIM-ANAL-ST-OLD`, `.1`, `-A`)."""
    marks = [part for part in parts if part in _CODE_SUFFIXES or len(part) == 1]
    while True:
        mark = next((mark for mark in marks if code.endswith(mark) and len(code) > len(mark) + 3), None)
        if mark is None:
            return code
        code = code[: -len(mark)]


def _words(columns: Columns, comparison: Mapping[str, Any], name: str) -> None:
    tokens = name.split()
    plain = [token for token in tokens if token not in _METERED and token not in _BUNDLE and not token.isdigit()]
    metered = any(token in _METERED for token in tokens)
    if metered:
        plain = [token for token in plain if token not in _METERED_FILLERS]
    form = "metered" if metered else "bundle" if any(token in _BUNDLE for token in tokens) else "plain"
    version = text(comparison, "version") or "v1"
    edition = text(comparison, "edition") or "none"
    put(columns, "name_compact", name.replace(" ", ""))
    put(columns, "words", distinct(plain))
    put(columns, "sorted_words", " ".join(sorted(set(plain))))
    put(columns, "numbers", distinct(token.lstrip("0") for token in tokens if token.isdigit()))
    # A name without a version means the first one, a name without an edition the only one.
    put(columns, "version", version)
    put(columns, "stated_edition", edition)
    put(columns, "form", form)


def product_keys(features: Features) -> Features:
    """What only blocking reads."""
    columns: Columns = {}
    if "form" in features:
        columns["variant"] = "|".join(str(features[key]) for key in ("form", "stated_edition", "version"))
    heads = distinct([word[:_HEAD] for word in texts(features, "words")])
    put(columns, "word_heads", heads)
    put(columns, "word_pairs", distinct([f"{a}+{b}" for i, a in enumerate(heads) for b in heads[i + 1 :]]))
    return {**features, **columns}
