"""Columns of a customer: forms of its names, typed identifiers and their national relations, address keys."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from rapidfuzz.distance import OSA

from matching.features.demoted import DEMOTED, without_demoted
from matching.features.naming import ROLES, STRUCTURE, numbers_in
from matching.features.values import Columns, Features, distinct, kinds, put, text, texts, texts_of
from mdm.model.register_numbers import REGISTER_IN_TAX

#: Identifier types that have a column each.
IDENTIFIER_TYPES = ("vat", "tax", "registration", "lei", "duns")
#: Types of which an entity has one value per country. D-U-N-S numbers are given to sites, so one entity may have many.
EXCLUSIVE_TYPES = frozenset({"vat", "tax", "registration", "lei"})

_TEXTS = (
    "name", "name_sorted", "name_compact", "name_native", "legal_form", "country",
    "street", "house_number", "postcode", "city", "region",
)  # fmt: skip
_LISTS = ("phones", "domains", "emails", "self", "parents", "former_sites")

# What is taken as it is, by its name in the comparison form, with the column that it makes.
_TEXT_COLUMNS = frozenset(_TEXTS)
_LIST_COLUMNS = {**{key: key for key in _LISTS}, "names_references": "references", "tokens": "evidence"}

CUSTOMER_COLUMNS = kinds(
    texts=" ".join(_TEXTS)
    + " table national court register "
    + " ".join(f"{kind} {kind}_country" for kind in IDENTIFIER_TYPES),
    lists=" ".join(_LISTS)
    + " references evidence evidence_kinds sites names former_names sorted_names name_tokens name_numbers structure"
    " roles nations rare_tokens initials letters short_names labels identifiers exclusive all_identifiers"
    " identifier_kinds numbers",
)
#: What is read of a record's comparison form, beside its own name.
CUSTOMER_FORMS = frozenset(
    {*_TEXTS, *_LISTS, "names_references", "tokens", "alternate_names", "former_names"}
    | {"identifiers", "weak_identifiers", DEMOTED}
) - {"self"}
#: Columns that only blocking reads.
CUSTOMER_KEY_COLUMNS = kinds(texts="", lists="kin token_pairs prefixes edges handles all_numbers houses street_houses")

# Words by which the companies of a group are told apart by country; otherwise its companies are called the same.
_COUNTRIES = """
    usa us america americas deutschland germany france italia italy espana spain iberica iberia portugal nederland
    netherlands holland belgie belgique belgium luxembourg osterreich austria schweiz suisse svizzera switzerland
    sverige sweden norge norway danmark denmark suomi finland polska poland pl cesko cesky ceska czech czechia slovensko
    slovakia magyarorszag hungary romania bulgaria hellas greece turkiye turkey rossiya russia ukraine ukraina uk gb
    britain england scotland ireland eire india bharat china zhongguo japan nippon korea hanguk brasil brazil mexico
    argentina chile colombia peru canada australia zealand singapore malaysia indonesia thailand vietnam philippines
    hongkong taiwan israel emirates arabia egypt maroc morocco tunisie nigeria kenya africa nordic europe emea apac
    latam asia
"""
_COUNTRY_WORDS = frozenset(_COUNTRIES.split())

# Words of a name that its acronym may leave out, and how many at its end may follow an acronym in full.
_ACRONYMS_LEAVE_OUT = "of and the for in de des du la le les et der die das und fur von zu di del della e y en van voor"
_LEFT_OUT = frozenset(_ACRONYMS_LEAVE_OUT.split())
_IN_FULL = 2

#: The same as `REGISTER_IN_TAX`, by the codes of comparison forms.
_REGISTER_IN_TAX = {country.lower(): part for country, part in REGISTER_IN_TAX.items()}
#: The register that a German number is of: A for partnerships, B for corporations, and so on.
_REGISTER = re.compile(r"\A(hra|hrb|gnr|gsr|pr|vr)(?=\d)")
#: An identifier, its type, country and normal form.
_Identifier: TypeAlias = tuple[str, str, str, str]

# A longer list of tokens adds pairs quadratically and tells little more.
_TOKENS_PAIRED = 4
_PREFIX = 5
# A web address that spells a name is at least this long; shorter ones are acronyms that many share.
_HANDLE = 6
# A name of more letters is no acronym.
_SHORT = 5
# So many letters stand for first names.
_INITIALS = 3


def customer_features(comparison: Mapping[str, Any], common_tokens: frozenset[str]) -> Features:
    """What comparisons read."""
    columns: Columns = {}
    put(columns, "table", _table(texts(comparison, "self")))
    comparison = without_demoted(comparison, related_numbers)
    for key, value in comparison.items():
        if not value:
            continue
        if key in _TEXT_COLUMNS:
            columns[key] = value
        elif key in _LIST_COLUMNS and (found := texts_of(value)):
            columns[_LIST_COLUMNS[key]] = found
    if "evidence" in columns:
        columns["evidence_kinds"] = distinct([token.split(":", 1)[0] for token in texts(columns, "evidence")])
    if "domains" in columns:
        put(columns, "labels", _labels(texts(columns, "domains")))
    _names(columns, comparison, common_tokens)
    _identifiers(columns, comparison)
    if "house_number" in columns:
        put(columns, "sites", _sites(columns))
    return columns


def _sites(columns: Columns) -> tuple[str, ...]:
    """Where a record says that it is, as `former_sites` say where it was."""
    number, postcode, street, city = (columns.get(key) for key in ("house_number", "postcode", "street", "city"))
    house = [f"p:{postcode}|{number}"] if number and postcode else []
    return distinct([*house, f"s:{street}|{number}|{city}"] if number and street and city else house)


def customer_keys(comparison: Mapping[str, Any], features: Features, common_tokens: frozenset[str]) -> Features:
    """What only blocking reads."""
    columns: Columns = {}
    forms = [*_forms(comparison), *texts(comparison, "former_names")]
    compact = [form.replace(" ", "") for form in forms]
    tokens = distinct(token for form in forms for token in form.split() if len(token) > 1)
    put(columns, "kin", distinct((*texts(comparison, "names_references"), *texts(comparison, "self"))))
    put(columns, "prefixes", distinct(token[:_PREFIX] for token in tokens if _is_rare(token, common_tokens)))
    # The tokens that tell most come first: rare before common, long before short.
    telling = sorted(tokens, key=lambda token: (token in common_tokens, -len(token), token))[:_TOKENS_PAIRED]
    telling.sort()
    put(columns, "token_pairs", distinct(f"{a}+{b}" for i, a in enumerate(telling) for b in telling[i + 1 :]))
    put(columns, "edges", distinct(edge for form in compact for edge in _edges(form)))
    labels = _labels(texts(comparison, "domains"))
    native = text(comparison, "name_native")
    handles = [value for value in (*compact, *labels) if len(value) >= _HANDLE]
    put(columns, "handles", distinct([*handles, native] if native else handles))
    identifiers = (*texts(comparison, "identifiers"), *texts(comparison, "weak_identifiers"))
    # Where a company is and was: who knows only the old address finds it, too.
    sites = distinct((*texts(features, "sites"), *texts(comparison, "former_sites")))
    put(columns, "houses", tuple(site for site in sites if site.startswith("p:")))
    put(columns, "street_houses", tuple(site for site in sites if site.startswith("s:")))
    put(columns, "all_numbers", distinct(number for value in identifiers for number in related_numbers(value)))
    return {**features, **columns}


def _table(names: Iterable[str]) -> str | None:
    """`system:type` of a record, from its key among its aliases (`system:type#alias:value`).

    Records of files that are measured or trained on have a name of their own, which tells no table.
    """
    for name in names:
        system, kind, key = (*name.split(":", 2), "", "")[:3]
        if key and "#" not in kind:
            return f"{system}:{kind}"
    return None


def _forms(comparison: Mapping[str, Any]) -> list[str]:
    name = text(comparison, "name")
    others = texts(comparison, "alternate_names")
    return [name, *others] if name else list(others)


def _labels(domains: tuple[str, ...]) -> tuple[str, ...]:
    return distinct([domain.split(".", 1)[0].replace("-", "") for domain in domains])


def _is_rare(token: str, common_tokens: frozenset[str]) -> bool:
    return token not in common_tokens and not token.isdigit()


def _names(columns: Columns, comparison: Mapping[str, Any], common_tokens: frozenset[str]) -> None:
    forms, native = _forms(comparison), text(comparison, "name_native")
    former = texts(comparison, "former_names")
    if former:
        put(columns, "former_names", distinct([form.replace(" ", "") for form in former]))
    if not forms:
        put(columns, "names", (native,) if native else ())
        return
    compact = [form.replace(" ", "") for form in forms]
    put(columns, "names", distinct([*compact, native] if native else compact))
    words = [form.split() for form in forms]
    put(columns, "sorted_names", distinct([" ".join(sorted(form)) for form in words]))
    put(columns, "initials", _initials(words))
    put(columns, "letters", _letters(words))
    short = ["".join(sorted(each)) for each in compact if 2 <= len(each) <= _SHORT]
    put(columns, "short_names", distinct([*short, *_abbreviated(words)]))
    national = _COUNTRY_WORDS.intersection(words[0])
    if national:
        columns["national"] = next(word for word in words[0] if word in national)
    # As with `structure`: a name without a country is that of the house, or of its first company.
    put(columns, "nations", distinct([word for word in words[0] if word in national] or ["-"]))
    longer = [token for form in words for token in form if len(token) > 1]
    if text(comparison, "name"):
        own = longer if len(words) == 1 else [token for token in words[0] if len(token) > 1]
        put(columns, "name_tokens", distinct(own))
        put(columns, "name_numbers", numbers_in(words[0]))
        put(columns, "roles", distinct(["-", *ROLES.intersection(words[0])]))
    # A name without such a word says that as well: it is that of the house.
    put(columns, "structure", distinct([word for form in words for word in STRUCTURE.intersection(form) or ("-",)]))
    put(columns, "rare_tokens", distinct([token for token in longer if _is_rare(token, common_tokens)]))


def _initials(names: Iterable[list[str]]) -> tuple[str, ...]:
    """Acronyms that a name has or is: the initials of three words and more, or a short single word.

    Words that acronyms leave out may be left out, and the last words may follow in full: International Business
    Machines Deutschland is `ibmd` and `ibmdeutschland`.
    """
    found = []
    for words in names:
        if len(words) >= 3:
            found.append("".join([word[0] for word in words]))
            telling = [word for word in words if word not in _LEFT_OUT]
            if 3 <= len(telling) < len(words):
                found.append("".join([word[0] for word in telling]))
            cuts = range(max(3, len(words) - _IN_FULL), len(words))
            found += ["".join([*(word[0] for word in words[:cut]), *words[cut:]]) for cut in cuts]
        elif len(words) == 1 and 3 <= len(words[0]) <= 6:
            found.append(words[0])
    return distinct(found)


def _letters(names: Iterable[list[str]]) -> tuple[str, ...]:
    """The first letters of the words of a name in the order of the alphabet, which says nothing by itself."""
    told = [form for words in names for form in (words, [word for word in words if word not in _LEFT_OUT])]
    found = ["".join(sorted([word[0] for word in form])) for form in told if 2 <= len(form) <= _SHORT]
    return distinct([*found, *(each for words in names for each in _beside_a_word(words, [word[0] for word in words]))])


def _abbreviated(names: Iterable[list[str]]) -> list[str]:
    """Names of which all words but one are letters: Shevchenko T.G. is `shevchenko+gt`."""
    return [each for words in names for each in _beside_a_word(words, words)]


def _beside_a_word(words: list[str], told: list[str]) -> list[str]:
    """Each long word of a name and, in the order of the alphabet, the letters that are told of the others."""
    if not 2 <= len(words) <= _SHORT:
        return []
    letters = [(word, "".join(told[:at] + told[at + 1 :])) for at, word in enumerate(words) if len(word) > _INITIALS]
    return [f"{word}+{''.join(sorted(beside))}" for word, beside in letters if len(beside) <= _INITIALS]


def _edges(compact: str) -> tuple[str, ...]:
    """The beginning of a name, and its end with its first letter: a typing error spoils one of the two."""
    if len(compact) < 6:
        return ()
    return (f"{compact[:6]}-", f"{compact[0]}-{compact[-7:]}")


def _identifiers(columns: Columns, comparison: Mapping[str, Any]) -> None:
    sure, weak = texts(comparison, "identifiers"), texts(comparison, "weak_identifiers")
    if not (sure or weak):
        return
    parts = _taken_apart(sure)
    if sure:
        columns["identifiers"] = sure
        columns["identifier_kinds"] = distinct([f"{kind}:{country}" for _, kind, country, _ in parts])
        columns["numbers"] = distinct([number for value in sure for number in related_numbers(value)])
        parts = _without_those_of_a_group(parts)
        put(columns, "exclusive", distinct([_whole_company(*each) for each in parts if each[1] in EXCLUSIVE_TYPES]))
    columns["all_identifiers"] = distinct((*sure, *weak)) if weak else sure
    for _, kind, country, normal in (*parts, *_taken_apart(weak)):
        if kind in IDENTIFIER_TYPES and kind not in columns:
            columns[kind] = normal
            columns[f"{kind}_country"] = country or "-"
    # `de-munich`: a register that one of several courts keeps.
    courts = [country for _, kind, country, _ in parts if kind == "registration" and "-" in country]
    put(columns, "court", courts[0] if courts else None)
    # A number that is told without the court is that of some court of the country.
    put(columns, "register", str(columns["registration_country"])[:2] if "registration" in columns else None)


def _taken_apart(identifiers: tuple[str, ...]) -> list[_Identifier]:
    return [
        (value, kind, country, _apart(country, normal) if kind == "registration" else normal)
        for value in identifiers
        for kind, country, normal in [value.split(":", 2)]
    ]


def _apart(country: str, normal: str) -> str:
    """`hra123` as `hrahra123`: HRA 123 and HRB 123 of a court are two companies, and only one letter is a slip."""
    return _REGISTER.sub(r"\1\1", normal) if country[:2] in ("de", "at") else normal


def _without_those_of_a_group(parts: list[_Identifier]) -> list[_Identifier]:
    """The numbers that are the company's own.

    Where a tax number contains the number of the register and a row states another one there, it is taxed as part of
    its group: the tax number is that of the group's head.
    """
    contained = {
        (country, normal[_REGISTER_IN_TAX[country]]): value
        for value, kind, country, normal in parts
        if kind in ("vat", "tax") and country in _REGISTER_IN_TAX
    }
    foreign = {
        (country, number)
        for country, number in contained
        for _, kind, place, normal in parts
        if kind == "registration" and place == country and OSA.distance(number, normal, score_cutoff=1) > 1
    }
    values = {contained[key] for key in foreign}
    return [each for each in parts if each[0] not in values and not (each[1] == "registration" and each[2:] in foreign)]


def _whole_company(identifier: str, kind: str, country: str, normal: str) -> str:
    """The part of a number that is the company's, where states or sites have numbers of their own.

    A company of India has a number in each of its states, which contains that of the whole company; one of Brazil has
    one for each of its sites, which begin alike.
    """
    if kind == "tax" and country == "in" and len(normal) == 15:
        return f"{kind}:{country}:{normal[2:12]}"
    if kind == "tax" and country == "br" and len(normal) == 14:
        return f"{kind}:{country}:{normal[:8]}"
    return f"{kind}:{country}:{normal}" if kind == "registration" else identifier


@lru_cache(16_384)
def related_numbers(identifier: str) -> tuple[str, ...]:
    """The numbers that an identifier contains, comparable across types of one country.

    Many countries build the VAT number from the company number: France prefixes two check digits to the nine of the
    SIREN, Sweden appends two, the Netherlands append B and two to the nine of the RSIN, Australia prefixes two to the
    ACN. Elsewhere the digits of both are compared as they are.
    """
    kind, country, normal = identifier.split(":", 2)
    if kind == "tax" and country == "in" and len(normal) in (10, 15):
        return (f"in:{normal[2:12] if len(normal) == 15 else normal}",)
    digits = "".join([character for character in normal if character.isdigit()])
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
    return tuple([f"{country}:{number}" for number in numbers])
