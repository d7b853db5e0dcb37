"""Names of organisations: tidied for display, and cut down to the core that tells one organisation from another."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from mdm.intake.standardise.countries import country_code
from mdm.intake.standardise.junk import PLACEHOLDER, is_placeholder
from mdm.intake.standardise.legal_forms import LegalForm, cut_cjk_form, form_at_end, form_at_start, legal_form_of
from mdm.intake.standardise.lists import variants_of, words_of
from mdm.intake.standardise.places import is_city
from mdm.intake.standardise.result import UNKNOWN, Context, Inputs, Standardised
from mdm.intake.standardise.text import CACHE, fold, has_han, has_kana, is_latin, tidy

CONNECTORS: Final = words_of("name_connectors")
LEADING_WORDS: Final = words_of("name_leading")
EXPANSIONS: Final = variants_of("name_words")
_STATUS: Final = (
    r"do\s+not\s+use|don'?t\s+use|duplicate|dup|dupe|old|inactive|closed|blocked|archived|merged|obsolete|hq|"
    r"head\s*quarters?|head\s*office|main\s+account|via\s+\w+|nicht\s+verwenden|gesperrt|ne\s+pas\s+utiliser|no\s+usar|"
    r"non\s+usare|nie\s+uzywac|test"
)
_NOISE_TAIL: Final = re.compile(rf"(?:\s+[-–—/|:]+\s*|\s*[(\[]\s*)(?:{_STATUS})\s*[)\]]?[\s*!#.]*$", re.IGNORECASE)
_NOISE_ENDS: Final = re.compile(r"^[\s*#!~_=>\"“”]+|[\s*#!~_=<\"“”]+$")
_CARE_OF: Final = re.compile(r"^c\s*/\s*o\.?\s+", re.IGNORECASE)
_OTHER_NAME: Final = re.compile(
    r"\s*[,;(\[-]?\s*\b(?:d\.?\s?/?\s?b\.?\s?/?\s?a\.?|t\s?/\s?a|trading\s+as|doing\s+business\s+as|f\s?/\s?k\s?/\s?a|formerly"
    r"(?:\s+known\s+as)?|a\s?/?\s?k\s?/?\s?a|also\s+known\s+as|vormals|anciennement|già|dawniej|voorheen|före\s*detta)"
    r"\s*[:.]?\s+",
    re.IGNORECASE,
)
_BRACKET_TAIL: Final = re.compile(r"\s*[(\[]([^)\]]{1,40})[)\]]\s*$")
_COMMA: Final = re.compile(r"\s*[,/]\s+|\s+[-–|]\s+")
#: Brackets that belong to a legal form.
_FORM_BRACKETS: Final = frozenset({"publ", "haftungsbeschrankt", "p", "pvt", "private"})


@dataclass(frozen=True, slots=True)
class OrganisationName:
    """One name in its forms. `core` is None when no ASCII form can be compared (see `_latin_core`)."""

    display: str
    core: str | None
    native: str | None
    form: LegalForm | None
    others: tuple[str, ...]


@lru_cache(CACHE)
def organisation_name(text: str, country: str | None) -> OrganisationName | None:
    """The forms of a name; None for a placeholder."""
    display, others = _split_other_names(_without_noise(tidy(text)))
    if is_placeholder(display):
        return None
    spelled, cjk_form = cut_cjk_form(display)
    core, form = _latin_core(spelled, country)
    native = None if is_latin(spelled) else " ".join(spelled.casefold().split())
    return OrganisationName(display, core, native, cjk_form or form, others)


def _without_noise(text: str) -> str:
    """The name without markers that people put around it: *** X ***, X - DO NOT USE, c/o X."""
    text = _CARE_OF.sub("", _NOISE_ENDS.sub("", text))
    while True:
        shorter = _NOISE_ENDS.sub("", _NOISE_TAIL.sub("", text))
        if shorter in (text, ""):
            return text
        text = shorter


def _split_other_names(text: str) -> tuple[str, tuple[str, ...]]:
    first, *others = _OTHER_NAME.split(text)
    if not first:
        return text, ()
    return first.strip(" ,;-"), tuple(other.strip(" )].,;") for other in others if other.strip(" )].,;"))


def _latin_core(text: str, country: str | None) -> tuple[str | None, LegalForm | None]:
    if has_kana(text) or (has_han(text) and country == "JP"):
        # Transliteration reads kanji as Chinese: it would contradict the romaji of the same name.
        return None, None
    segments = _without_places(text)
    words = tuple(fold(" ".join(segments)).split())
    found = form_at_end(words)
    if found is not None:
        form, count = found
        words = words[:-count]
        again = form_at_end(words)
        # A second form (Ltd. Co., Inc. Corp.) goes too, unless only a short word would be left.
        if again is not None and len("".join(words[: -again[1]])) > 3 and again[0].form_class == form.form_class:
            words = words[: -again[1]]
        return _joined(words), form
    found = form_at_start(words)
    if found is not None:
        return _joined(words[found[1] :]), found[0]
    return _joined(words), None


def _without_places(text: str) -> list[str]:
    """The parts of a name without a bracket or comma tail that only says where it is."""
    while (bracket := _BRACKET_TAIL.search(text)) and fold(bracket[1]).replace(" ", "") not in _FORM_BRACKETS:
        if bracket.start() == 0:
            break
        text = text[: bracket.start()]
    parts = [part for part in _COMMA.split(text) if fold(part)]
    while len(parts) > 1 and _is_place(parts[-1]) and legal_form_of(parts[-1]) is None:
        parts.pop()
    return parts


def _is_place(text: str) -> bool:
    return is_city(text) or country_code(text) is not None


def _joined(words: tuple[str, ...]) -> str | None:
    if len(words) > 1 and words[0] in LEADING_WORDS:
        words = words[1:]
    inner = [
        EXPANSIONS.get(word, word)
        for position, word in enumerate(words)
        if not (0 < position < len(words) - 1 and word in CONNECTORS)
    ]
    return " ".join(_merge_initials(inner)) or None


def _merge_initials(words: list[str]) -> list[str]:
    """Single letters in a row are one abbreviation: `p c van oers` -> `pc van oers`."""
    merged: list[str] = []
    run = False
    for word in words:
        single = len(word) == 1 and word.isalpha()
        if single and run:
            merged[-1] += word
        else:
            merged.append(word)
        run = single
    return merged


def name(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `organisation_name`: the first usable name, with all that comparison needs of it."""
    rejected = None
    for given in inputs:
        if not given.text.strip():
            continue
        found = organisation_name(given.text, context.country)
        if found is None:
            rejected = PLACEHOLDER
            continue
        return Standardised(found.display, _comparison(found, context.country), rejected)
    return Standardised(rejected=rejected) if rejected else UNKNOWN


def _comparison(found: OrganisationName, country: str | None) -> dict[str, object]:
    comparison: dict[str, object] = {}
    if found.core is not None:
        comparison["name"] = found.core
        comparison["name_sorted"] = " ".join(sorted(found.core.split()))
        comparison["name_compact"] = found.core.replace(" ", "")
    if found.native is not None:
        comparison["name_native"] = found.native
    if found.form is not None:
        comparison["legal_form"] = found.form.form_class
    others = _cores(found.others, country)
    if others:
        comparison["alternate_names"] = others
    return comparison


def alternate_names(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `organisation_names`: additional names, and other names found inside the main one."""
    names: list[str] = []
    for given in inputs:
        found = organisation_name(given.text, context.country) if given.text.strip() else None
        if found is not None:
            names += found.others if given.part == "others" else (found.display, *found.others)
    if not names:
        return UNKNOWN
    unique = tuple(dict.fromkeys(names))
    cores = _cores(unique, context.country)
    return Standardised(list(unique), {"alternate_names": cores} if cores else {})


def _cores(names: tuple[str, ...], country: str | None) -> list[str]:
    found = (organisation_name(name, country) for name in names)
    return sorted({name.core for name in found if name is not None and name.core is not None})


def legal_form(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `legal_form`: the first column that is a form, or a name that carries one."""
    for given in inputs:
        if not given.text.strip():
            continue
        form = legal_form_of(given.text)
        if form is None:
            found = organisation_name(given.text, context.country)
            form = found.form if found is not None else None
        if form is not None:
            return Standardised(form.display, {"legal_form": form.form_class})
    return UNKNOWN
