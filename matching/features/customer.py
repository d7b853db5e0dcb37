"""Columns of a customer: forms of its names, typed identifiers and their national relations, address keys."""

from collections.abc import Mapping
from typing import Any

from matching.features.values import Columns, Features, distinct, kinds, put, text, texts

#: Identifier types that have a column each.
IDENTIFIER_TYPES = ("vat", "tax", "registration", "lei", "duns")

CUSTOMER_COLUMNS = kinds(
    texts="name name_sorted name_compact name_native legal_form country street house_number postcode city region table "
    "postcode_number street_number " + " ".join(f"{kind} {kind}_country" for kind in IDENTIFIER_TYPES),
    lists="phones domains emails self parents references evidence evidence_kinds kin names alternates sorted_names "
    "name_tokens tokens rare_tokens token_pairs prefixes initials labels brands identifiers all_identifiers "
    "identifier_kinds numbers all_numbers skeletons handles edges",
)

# A longer list of tokens adds pairs quadratically and tells little more.
_TOKENS_PAIRED = 4
_PREFIX = 5
# A web address that spells a name is at least this long; shorter ones are acronyms that many share.
_HANDLE = 6
_VOWELS = frozenset("aeiouy")


def customer_features(comparison: Mapping[str, Any], common_tokens: frozenset[str]) -> Features:
    columns: Columns = {}
    for key in (
        "name", "name_sorted", "name_compact", "name_native", "legal_form", "country",
        "street", "house_number", "postcode", "city", "region",
    ):  # fmt: skip
        put(columns, key, text(comparison, key))
    for key in ("phones", "domains", "emails", "self", "parents"):
        put(columns, key, texts(comparison, key))
    put(columns, "references", texts(comparison, "names_references"))
    put(columns, "kin", distinct((*texts(comparison, "names_references"), *texts(comparison, "self"))))
    evidence = texts(comparison, "tokens")
    put(columns, "evidence", evidence)
    put(columns, "evidence_kinds", distinct(token.split(":", 1)[0] for token in evidence))
    put(columns, "table", _table(texts(comparison, "self")))
    _names(columns, comparison, common_tokens)
    _identifiers(columns, comparison)
    _address(columns)
    return columns


def _table(names: tuple[str, ...]) -> str | None:
    """`system:type` of a record, from its key among its aliases (`system:type#alias:value`)."""
    tables = (":".join(name.split(":", 2)[:2]) for name in names)
    return next((table for table in tables if "#" not in table), None)


def _names(columns: Columns, comparison: Mapping[str, Any], common_tokens: frozenset[str]) -> None:
    name, alternates = text(comparison, "name"), texts(comparison, "alternate_names")
    native = text(comparison, "name_native")
    forms = [form for form in (name, *alternates) if form]
    put(columns, "names", distinct([form.replace(" ", "") for form in forms] + ([native] if native else [])))
    put(columns, "alternates", distinct(form.replace(" ", "") for form in alternates))
    put(columns, "sorted_names", distinct(" ".join(sorted(form.split())) for form in forms))
    put(columns, "name_tokens", distinct(token for token in (name or "").split() if len(token) > 1))
    tokens = distinct(token for form in forms for token in form.split() if len(token) > 1)
    rare = distinct(token for token in tokens if token not in common_tokens and not token.isdigit())
    put(columns, "tokens", tokens)
    put(columns, "rare_tokens", rare)
    put(columns, "prefixes", distinct(token[:_PREFIX] for token in rare))
    # The tokens that tell most come first: rare before common, long before short.
    telling = sorted(tokens, key=lambda token: (token in common_tokens, -len(token), token))[:_TOKENS_PAIRED]
    pairs = [f"{a}+{b}" for i, a in enumerate(sorted(telling)) for b in sorted(telling)[i + 1 :]]
    put(columns, "token_pairs", distinct(pairs))
    put(columns, "skeletons", distinct(skeleton(token) for token in rare if len(token) > 3))
    put(columns, "edges", distinct(edge for form in forms for edge in _edges(form.replace(" ", ""))))
    initials = _initials(forms)
    put(columns, "initials", initials)
    labels = distinct(domain.split(".")[0].replace("-", "") for domain in texts(comparison, "domains"))
    put(columns, "labels", labels)
    compact = [form.replace(" ", "") for form in forms]
    put(columns, "handles", distinct(value for value in (*compact, *labels) if len(value) >= _HANDLE))
    put(columns, "brands", distinct([*compact, *initials, *(token for token in rare if len(token) > 3)]))


def skeleton(token: str) -> str:
    """The first letter and the consonants after it, doubled ones once: what most typing errors leave alone."""
    kept = [token[0]]
    for letter in token[1:]:
        if letter not in _VOWELS and letter != kept[-1]:
            kept.append(letter)
    return "".join(kept)


def _edges(compact: str) -> tuple[str, ...]:
    """The beginning of a name, and its end with its first letter: a typing error spoils one of the two."""
    if len(compact) < 6:
        return ()
    return (f"{compact[:6]}-", f"{compact[0]}-{compact[-7:]}")


def _initials(forms: list[str]) -> tuple[str, ...]:
    """Acronyms that a name has or is: the initials of three words and more, or a short single word."""
    found = []
    for form in forms:
        words = form.split()
        if len(words) >= 3:
            found.append("".join(word[0] for word in words))
        elif len(words) == 1 and 3 <= len(form) <= 6:
            found.append(form)
    return distinct(found)


def _identifiers(columns: Columns, comparison: Mapping[str, Any]) -> None:
    sure, weak = texts(comparison, "identifiers"), texts(comparison, "weak_identifiers")
    put(columns, "identifiers", sure)
    put(columns, "all_identifiers", distinct((*sure, *weak)))
    put(columns, "identifier_kinds", distinct(value.rpartition(":")[0] for value in sure))
    put(columns, "numbers", distinct(number for value in sure for number in related_numbers(value)))
    put(columns, "all_numbers", distinct(number for value in (*sure, *weak) for number in related_numbers(value)))
    for value in (*sure, *weak):
        kind, country, normal = value.split(":", 2)
        if kind in IDENTIFIER_TYPES and kind not in columns:
            columns[kind] = normal
            put(columns, f"{kind}_country", country or "-")


def related_numbers(identifier: str) -> tuple[str, ...]:
    """The numbers that an identifier contains, comparable across types of one country.

    Many countries build the VAT number from the company number: France prefixes two check digits to the nine of the
    SIREN, Sweden appends two, the Netherlands append B and two to the nine of the RSIN, Australia prefixes two to the
    ACN. Elsewhere the digits of both are compared as they are.
    """
    kind, country, normal = identifier.split(":", 2)
    digits = "".join(character for character in normal if character.isdigit())
    if kind in ("lei", "duns") or len(digits) < 8:
        return (identifier,)
    numbers = [digits]
    if country == "fr" and len(digits) in (11, 14):
        numbers.append(digits[2:] if len(digits) == 11 else digits[:9])
    elif country == "se" and len(digits) == 12:
        numbers.append(digits[:10])
    elif country == "nl" and len(digits) == 11:
        numbers.append(digits[:9])
    elif country == "au" and len(digits) == 11:
        numbers.append(digits[2:])
    elif country == "br" and len(digits) == 14:
        numbers.append(digits[:8])
    return tuple(f"{country}:{number}" for number in numbers)


def _address(columns: Columns) -> None:
    number, postcode, street = (columns.get(key) for key in ("house_number", "postcode", "street"))
    if number and postcode:
        columns["postcode_number"] = f"{postcode}|{number}"
    if number and street:
        columns["street_number"] = f"{street}|{number}"
