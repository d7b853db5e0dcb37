"""Columns of a product: forms of its codes, name tokens, its brand and unit, and what separates variants (edition,
version, metering, size and pack)."""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from matching.features.values import Columns, Features, distinct, kinds, put, text, texts

PRODUCT_COLUMNS = kinds(
    texts="gtin name edition stated_edition version release period made_for stated_for role family unit brand pack "
    "stated_pack name_compact sorted_words form",
    lists="codes code_stems code_series code_parts words models model_numbers marks numbers plain_numbers figures "
    "sizes unit_kinds brands claims leads self evidence",
)
#: What is read of a record's comparison form, beside its own name.
PRODUCT_FORMS = frozenset(
    [
        "gtin",
        "name",
        "edition",
        "version",
        "release",
        "period",
        "made_for",
        "family",
        "unit",
        "unit_kinds",
        "brand",
        "named_brand",
        "made_by",
        "sizes",
        "pack",
        "tokens",
        "codes",
        "code_parts",
    ]
)
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
#: Words that make another thing of what the rest of a name says: a service about it, what belongs to it, a line of it.
_ROLES = {
    word: role
    for role, words in (
        ("training", "training trainings trng course courses workshop schulung kurs formation formacion certification"),
        ("consulting", "consulting consultancy beratung conseil implementation installation setup migration"),
        ("maintenance", "maintenance maint wartung repair reparatur warranty garantie inspection"),
        ("extension", "addon addin plugin extension upgrade update connector adapter module expansion"),
        ("case", "case cover sleeve pouch bag hulle tasche etui holster"),
        ("toner", "toner cartridge ink tinte patrone drum trommel refill"),
        ("cable", "cable cord kabel charger ladegerat dock docking"),
        ("battery", "battery batteries akku batterie accumulator"),
        ("part", "spare ersatzteil accessory accessories zubehor filter mount bracket holder remote"),
        ("ultra", "ultra"),
        ("plus", "plus"),
        ("max", "max"),
        ("mini", "mini"),
        ("lite", "lite light"),
    )
    for word in words.split()
}
_HEAD = 4
#: A counter has so many digits at least.
_COUNTED = 2
#: Words of so many letters are not misspelt but others.
_SHORT = 3
#: Words of a name that belong to a measure or a pack, once the amounts are apart: `6 x 500 ml`, `2p5mm`, `6er`, `x10`.
_UNITS = frozenset(
    ["ml", "mg", "g", "oz", "lb", "mm", "inch", "w", "v", "mah", "mb", "gb", "tb", "gsm", "sheet", "pcs"]
)
_BETWEEN = _UNITS | {"x"}
_FRACTION = re.compile(rf"\d+p\d+(?:{'|'.join(sorted(_UNITS))})")
_PACK_WORD = re.compile(r"x\d+|\d+(?:x|er|pk|pck|pack|packs|ct|count|pc|pcs|stk)")
#: A brand has at most so many words.
_BRAND_WORDS = 3
_DIGITS = re.compile(r"\d+")
#: A word of letters and digits: M404dn, 26A, E3; not M8x20, which measures.
_MODEL = re.compile(r"(?!\w*\dx\d)(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{2,}")
#: A model's name of so many characters is hardly that of two products.
_TELLING = 5
#: Letters that a line of models begins with, at most.
_LINE = 3
_VERSION = re.compile(r"v[1-9]\d?")
#: A code in one piece that may end in a version.
_RUN_ON = re.compile(r"([a-z][a-z\d]{3,})(v[2-9]\d?)")
_ABBREVIATED = 2
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def product_features(comparison: Mapping[str, Any]) -> Features:
    columns: Columns = {}
    for key in ("gtin", "name", "edition", "release", "period", "made_for", "family", "unit"):
        put(columns, key, text(comparison, key))
    put(columns, "self", texts(comparison, "self"))
    put(columns, "evidence", texts(comparison, "tokens"))
    put(columns, "unit_kinds", texts(comparison, "unit_kinds"))
    put(columns, "sizes", texts(comparison, "sizes"))
    _codes(columns, comparison)
    name = text(comparison, "name")
    _brand(columns, comparison, name or "")
    if name is not None:
        _words(columns, comparison, name)
    return columns


def _brand(columns: Columns, comparison: Mapping[str, Any], name: str) -> None:
    """The brand that is stated, and what the name begins with, which is one only if the other record says so."""
    brand = text(comparison, "brand") or text(comparison, "named_brand")
    tokens = name.split()
    starts = ["".join(tokens[:count]) for count in range(1, min(_BRAND_WORDS, len(tokens)) + 1)]
    put(columns, "brand", brand)
    brands = distinct([brand or "", text(comparison, "named_brand") or ""])
    put(columns, "brands", brands)
    # Never missing, and never alike where nothing is said: what one record states can be sought in the other's name.
    put(columns, "claims", brands or ("(none)",))
    put(columns, "leads", distinct([*starts, text(comparison, "made_by") or ""]) or ("(no name)",))


def _codes(columns: Columns, comparison: Mapping[str, Any]) -> None:
    codes, parts = texts(comparison, "codes"), texts(comparison, "code_parts")
    put(columns, "codes", codes)
    put(columns, "code_parts", parts)
    put(columns, "code_stems", distinct(_stem(code, parts) for code in codes))
    put(columns, "code_series", distinct(map(_series, codes)))


def _stem(code: str, parts: tuple[str, ...]) -> str:
    """A code without region, age and copy marks that were set apart at its end (`NIM-ANAL-ST-OLD`, `.1`, `-A`)."""
    marks = [part for part in parts if part in _CODE_SUFFIXES or len(part) == 1]
    while True:
        mark = next((mark for mark in marks if code.endswith(mark) and len(code) > len(mark) + 3), None)
        if mark is None:
            return code
        code = code[: -len(mark)]


def _series(code: str) -> str:
    """Which counter may have given a code, by its letters and the number of digits; empty where that says little."""
    digits = sum(map(str.isdigit, code))
    return _DIGITS.sub(lambda run: "#" * len(run[0]), code) if digits >= _COUNTED and digits < len(code) else ""


def _version_of(parts: tuple[str, ...]) -> str | None:
    """The version that a code states at one of its ends or in between, set apart (`ATL-FORE-V2`)."""
    versions = [part for part in parts if _VERSION.fullmatch(part)]
    return versions[0] if len(versions) == 1 else None


def _run_on_version(codes: tuple[str, ...], words: list[str]) -> str | None:
    """The version at the end of a code without separators, where all before it abbreviates words of the name.

    `SUMCONNV2` of a Summit Connect is its second version, `PRO365V2` that of a Pro 365. `MAILSERV2` of a Mail Server is
    not: `SERV` abbreviates, too.
    """
    found = [run.groups() for code in codes if (run := _RUN_ON.fullmatch(code))]
    versions = {version for stem, version in found if _abbreviates(stem, words) and not _abbreviates(f"{stem}v", words)}
    return versions.pop() if len(versions) == 1 else None


def _abbreviates(letters: str, words: list[str]) -> bool:
    """Whether letters are beginnings of some of these words, one after the other in any order; numbers stand whole."""
    # Up to where it is spelt so, place by place: what garbage repeats must not be tried in every order.
    spelt = {0}
    for start in range(len(letters)):
        if start in spelt:
            for word in words:
                for count in range(len(word) if word.isdigit() else _ABBREVIATED, len(word) + 1):
                    if letters.startswith(word[:count], start):
                        spelt.add(start + count)
    return len(letters) in spelt


def _words(columns: Columns, comparison: Mapping[str, Any], name: str) -> None:
    pack, sizes = text(comparison, "pack"), texts(comparison, "sizes")
    tokens = _unmeasured(name.split(), pack is not None)
    plain = [token for token in tokens if token not in _METERED and token not in _BUNDLE and not token.isdigit()]
    metered = any(token in _METERED for token in tokens)
    if metered:
        plain = [token for token in plain if token not in _METERED_FILLERS]
    # A pack of ten is no bundle of several products.
    bundle = pack is None and any(token in _BUNDLE for token in tokens)
    form = "metered" if metered else "bundle" if bundle else "plain"
    edition = text(comparison, "edition") or "none"
    version = (
        text(comparison, "version")
        or _version_of(texts(comparison, "code_parts"))
        or _run_on_version(texts(comparison, "codes"), [*tokens, edition])
        or "v1"
    )
    put(columns, "name_compact", name.replace(" ", ""))
    put(columns, "words", distinct(plain))
    put(columns, "sorted_words", " ".join(sorted(set(plain))))
    numbers = distinct(token.lstrip("0") for token in tokens if token.isdigit())
    put(columns, "numbers", numbers)
    # M8x20 and HL1110 state numbers, too.
    put(columns, "figures", distinct(run.lstrip("0") or "0" for token in tokens for run in _DIGITS.findall(token)))
    put(columns, "marks", _marks(tokens))
    models = _models(tokens)
    put(columns, "models", models)
    put(columns, "model_numbers", tuple(model for model in models if len(model) >= _TELLING))
    put(columns, "role", _role(name))
    put(columns, "stated_for", text(comparison, "made_for") or "none")
    amounts = {pack, *(size.rstrip(_LETTERS) for size in sizes)}
    put(columns, "plain_numbers", distinct(number for number in numbers if number not in amounts))
    single = pack is None or pack == "1"
    put(columns, "pack", None if single else pack)
    put(columns, "stated_pack", "none" if single else pack)
    # A name without a version means the first one, a name without an edition the only one.
    put(columns, "version", version)
    put(columns, "stated_edition", edition)
    put(columns, "form", form)


def _marks(tokens: list[str]) -> tuple[str, ...]:
    """Words that are told apart by one letter: models (M402n, Cat6a), ratings (24VDC) and short ones (AA).

    `Cat 6` is Cat6 as well.
    """
    alone = [token for token in tokens if _is_mark(token)]
    joined = [one + other for one, other in pairwise(tokens) if one.isalpha() and other.isdigit() and _is_mark(one)]
    return distinct([*alone, *joined])


def _is_mark(token: str) -> bool:
    return not token.isdigit() and (len(token) <= _SHORT or any(map(str.isdigit, token)))


def _models(tokens: list[str]) -> tuple[str, ...]:
    """Words of letters and digits; with the letters before them, too, for M-404dn is M404dn."""
    found = [token for token in tokens if _MODEL.fullmatch(token) and not _VERSION.fullmatch(token)]
    together = [
        one + other for one, other in pairwise(tokens) if other in found and one.isalpha() and len(one) <= _LINE
    ]
    return distinct([*found, *together])


def _role(name: str) -> str:
    """What the words of a name make of it; `Add-on` is two words once it is folded."""
    tokens = name.split()
    words = {*tokens, *(one + other for one, other in pairwise(tokens))}
    return "+".join(sorted({_ROLES[word] for word in words if word in _ROLES})) or "none"


def _unmeasured(tokens: list[str], packed: bool) -> list[str]:
    """The words of a name without what only says how much is in it; numbers stay."""
    return [
        word
        for place, word in enumerate(tokens)
        if not (place and tokens[place - 1].isdigit() and word in _BETWEEN)
        and not _FRACTION.fullmatch(word)
        and not (packed and _PACK_WORD.fullmatch(word))
    ]


def product_keys(features: Features) -> Features:
    """What only blocking reads."""
    columns: Columns = {}
    if "form" in features:
        columns["variant"] = "|".join(str(features[key]) for key in ("form", "stated_edition", "version"))
    heads = distinct([word[:_HEAD] for word in texts(features, "words")])
    put(columns, "word_heads", heads)
    put(columns, "word_pairs", distinct([f"{a}+{b}" for i, a in enumerate(heads) for b in heads[i + 1 :]]))
    return {**features, **columns}
