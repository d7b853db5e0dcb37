"""Names of organisations: tidied for display, and cut down to the core that tells one organisation from another.

The core has no marks that people put around a name, no legal form, no tail that only says where the company sits, and
one spelling for each abbreviated or translated word.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA

from mdm.intake.standardise.countries import is_a_country, usual_country, words_of_country
from mdm.intake.standardise.junk import is_placeholder
from mdm.intake.standardise.legal_forms import (
    LegalForm,
    cut_native_form,
    ends_in_brackets,
    form_at_end,
    form_at_start,
    initials_or_form,
    is_japanese_form,
    is_only_a_form,
    legal_form_of,
    listed_start,
    mistyped_form,
    script_form,
)
from mdm.intake.standardise.lists import variants_of, words_of
from mdm.intake.standardise.places import is_city
from mdm.intake.standardise.scripts import Language, greek_in_latin, in_latin, language_of
from mdm.intake.standardise.text import CACHE, fold, is_latin, tidy

CONNECTORS: Final = words_of("name_connectors")
LEADING_WORDS: Final = words_of("name_leading")
EXPANSIONS: Final = variants_of("name_words") | variants_of("country_words")
#: Codes that end a name of a national company (Acme DE); codes that are words (IT, IN, NO) are left alone.
_COUNTRY_CODES: Final = variants_of("country_codes_in_names")
#: A slip in the name of the own country is looked for in words of so many letters at least. In words of the fewest
#: only letters that are doubled or changed places are one: espina and franche are words.
_FEWEST_LETTERS: Final = 6
_LONG_COUNTRY: Final = 8
_COUNTRY_PHRASES: Final = re.compile(r"\b(united states(?: of america)?|great britain|united kingdom)\b")
_PHRASE_WORDS: Final = {"united states": "usa", "united states of america": "usa"}
#: What some write as one word or as initials: `Przedsiębiorstwo Handlowo-Usługowe` is PHU, F.lli Fratelli.
_ABBREVIATIONS: Final = {
    phrase.replace("_", " "): short.replace("_", " ") for phrase, short in variants_of("name_phrases").items()
}
_ABBREVIATED_PHRASES: Final = re.compile(rf"\b({'|'.join(sorted(_ABBREVIATIONS, key=len, reverse=True))})\b")
_STATUS: Final = (
    r"do\s+not\s+use|don'?t\s+use|duplicate|dup|dupe|old|inactive|closed|blocked|archived|merged|obsolete|hq|"
    r"head\s*quarters?|head\s*office|main\s+account|via\s+\w+|nicht\s+verwenden|gesperrt|ne\s+pas\s+utiliser|no\s+usar|"
    r"non\s+usare|nie\s+uzywac|test|accounts?\s+(?:payable|receivable)|finance\s+dep(?:t|artment)|purchasing|buchhaltung|"
    r"einkauf|comptabilit[eé]|amministrazione|new|legacy|eur|usd|gbp|chf|pln|czk|huf|ron|bgn|sek|nok|dkk|try|uah|jpy|cny|krw|inr|"
    r"brl|mxn|cad|aud|nzd|sgd|hkd|zar|aed|ils"
)
#: Of these there are many, told apart by a number (`Sub-Fund # 57`, `Union Local #5`); `Foo Inc #2` is a second row.
_NUMBERED: Final = (
    "branch", "building", "chapter", "class", "compartment", "district", "fonds", "fund", "lease", "local", "lodge",
    "lot", "plant", "post", "school", "serie", "series", "shop", "store", "tranche", "trust", "unit", "well",
)  # fmt: skip
_NOT_NUMBERED: Final = r"(?<=\S)" + "".join(rf"(?<!\b{word})" for word in _NUMBERED)
_NOISE_TAIL: Final = re.compile(
    rf"(?:(?:\s+[-–—/|:]+\s*|\s*[(\[]\s*)(?:{_STATUS})\s*[)\]]?|{_NOT_NUMBERED}\s+#\s?\d{{1,2}})[\s*!#.]*$",
    re.IGNORECASE,
)
_TAIL: Final = re.compile(r"(?:\s+[-–—/|:]+\s*|\s*[(\[]\s*)(?P<tail>[^-–—/|:(\[]{9,})$")
#: What a tail is though it has a slip, folded. Shorter ones are too near to names.
_STATUS_WITH_SLIPS: Final = (
    "accounts payable", "account payable", "accounts receivable", "account receivable", "finance department",
    "headquarters", "main account", "nicht verwenden", "ne pas utiliser", "do not use",
)  # fmt: skip
_NOISE_ENDS: Final = re.compile(r"^[\s*#!~_=>\"“”]+|[\s*#!~_=<\"“”]+$")
_CARE_OF: Final = re.compile(r"^(?:c\s*/\s*o|m\s*/\s*s)\b\.?\s+", re.IGNORECASE)
#: A company that is wound up or insolvent says so behind its form, in Turkey before its name.
_WINDING_UP: Final = re.compile(
    r"^tasfiye\s+halinde\s+|[\s,(–-]+(?:"
    r"i\.\s?L\.|i\.\s?K\.|in\s+(?:voluntary\s+)?liquidation|in\s+(?:administration|receivership|examinership)|in\s+(?:insolvenz|konkurs)|"
    r"in\s+liquidazione|in\s+fallimento|en\s+liquidaci[oó]n|en\s+concurso|en\s+liquidation(?:\s+judiciaire)?|"
    r"en\s+redressement(?:\s+judiciaire)?|em\s+liquida[cç][aã]o|em\s+recupera[cç][aã]o\s+judicial|em\s+insolv[eê]ncia|"
    r"in\s+vereffening|in\s+faillissement|w\s+(?:likwidacji|upad[lł]o[sś]ci|restrukturyzacji)|i\s+(?:likvidation|konkurs)|"
    r"under\s+konkurs|konkurssissa|v\s+(?:likvid[aá]ci[ií]?|konkurzu)|f\.\s?a\.|u\s+(?:likvidaciji|ste[cč]aju)|in\s+lichidare|in\s+insolventa"
    r")\)?\s*$",
    re.IGNORECASE,
)
#: The owner of a business, whom its sign names behind it.
_OWNER: Final = re.compile(
    r"(?:[\s,;(–-]+(?:inh\.|inhaber(?:in)?\b:?|proprietor\b:?|titolare\b:?|titular\b:?)|\s*[(,]\s*prop\.:?)\s*[^\W\d].*$",
    re.IGNORECASE,
)
_PARTNERSHIPS: Final = frozenset({"snc", "sas", "ss"})
_OTHER_NAME: Final = re.compile(
    r"\s*[,;(\[-]?\s*\b(?:d\.?\s?/?\s?b\.?\s?/?\s?a\.?|t\s?/\s?a|trading\s+as|doing\s+business\s+as|f\s?/\s?k\s?/\s?a|formerly"
    r"(?:\s+known\s+as)?|a\s?/?\s?k\s?/?\s?a|also\s+known\s+as|vormals|anciennement|già|dawniej|voorheen|före\s*detta)"
    r"\s*[:.]?\s+",
    re.IGNORECASE,
)
_BRACKET_TAIL: Final = re.compile(r"\s*[(\[]([^)\]]{1,40})[)\]]\s*$")
#: The letter of the country in the forms of Singapore and Malaysia: `Foo (S) Pte Ltd`, `Foo (M) Sdn Bhd`.
_LETTER_OF_COUNTRY: Final = re.compile(
    r"(?<=\S)\s*(?:"
    r"[(\[]\s*S\s*[)\]](?=\s*Pte\b\.?\s*(?:Ltd|Limited)\b\.?\s*$)"
    r"|(?<=\bPte)\s*\.?\s*[(\[]\s*S\s*[)\]](?=\s*(?:Ltd|Limited)\b\.?\s*$)"
    r"|[(\[]\s*M\s*[)\]](?=\s*(?:(?:Sdn|Sendirian)\b\.?\s*)?(?:Bhd|Berhad)\b\.?\s*$)"
    r")",
    re.IGNORECASE,
)
_PUNCTUATION: Final = re.compile(r"[^\w\s&+]")
_COMMA: Final = re.compile(r"\s*[,/]\s+|\s+[-–|]\s+")
#: Brackets that belong to a legal form.
_FORM_BRACKETS: Final = frozenset({"publ", "haftungsbeschrankt", "p", "pvt", "private"})


@dataclass(frozen=True, slots=True)
class OrganisationName:
    """One name in its forms. `core` is None when its reading in Latin letters is not known.

    `shorter` is the core without initials at its start that may be its form: no country says which (SAS Dupont).
    """

    display: str
    core: str | None
    native: str | None
    form: LegalForm | None
    others: tuple[str, ...]
    shorter: str | None = None
    #: The core in another reading (Παπαδόπουλος is Papadopoulos for its owners, letter by letter Papadopoylos).
    reading: str | None = None


@lru_cache(CACHE)
def organisation_name(text: str, country: str | None) -> OrganisationName | None:
    """The forms of a name; None for a placeholder, and for what names nobody: symbols, or a legal form alone."""
    display, others = _split_other_names(_without_noise(_without_symbols(tidy(text))))
    if is_placeholder(display) or is_only_a_form(display):
        return None
    told = _without_own_country(_WINDING_UP.sub("", _OWNER.sub("", display)), country) or display
    spelt = " ".join(_without_places(_LETTER_OF_COUNTRY.sub(" ", told)))
    # ㈱ is no letter, and reads 株 once it is one.
    if is_latin(unicodedata.normalize("NFKC", spelt)):
        core, form = _latin_core(tuple(fold(spelt).split()), country)
        own = tuple((core or "").split())
        shorter = _joined(own[initials_or_form(own) :]) if country is None and form is None else None
        return OrganisationName(display, core, None, form, others, shorter if shorter != core else None)
    return _in_other_script(display, spelt, country, others)


def _in_other_script(display: str, spelt: str, country: str | None, others: tuple[str, ...]) -> OrganisationName:
    """A name with letters that are not Latin, word by word: some are Latin even here (Acme株式会社, 日東運輸 K.K.)."""
    words = spelt.split()
    if len(words) > 1 and is_latin(words[-1]) and not is_latin(words[-2]) and _is_place(words[-1]):
        words.pop()
    rest, native_form = cut_native_form(" ".join(words))
    words = rest.split()
    folded = tuple(fold(word).replace(" ", "") for word in words)
    form = None
    if len(words) > 1 and (own := script_form(words[0]) or script_form(words[-1])) is not None:
        form, words = own, words[1:] if script_form(words[0]) is not None else words[:-1]
    elif (found := form_at_end(folded)) is not None:
        form, words = found[0], words[: -found[1]]
    elif (found := form_at_start(folded, shortest=2)) is not None or (found := _form_before_script(words)) is not None:
        form, words = found[0], words[found[1] :]
    japanese = country == "JP" or is_japanese_form(native_form or form)
    language = Language.JAPANESE if japanese else language_of(rest)
    spelled = [in_latin(word, language) for word in words]
    latin = None if None in spelled else _joined(tuple(fold(" ".join(word or "" for word in spelled)).split()))
    native = _PUNCTUATION.sub(_mark, " ".join(words).casefold()) if not is_latin("".join(words)) else None
    greek = greek_in_latin(" ".join(words))
    reading = _joined(tuple(fold(greek).split())) if greek is not None else None
    return OrganisationName(
        display, latin, native, native_form or form, others, reading=reading if reading != latin else None
    )


def _form_before_script(words: list[str]) -> tuple[LegalForm, int] | None:
    """The form in English before a name in its own script, where that script puts it: Inc. 대한산업."""
    count = next((place for place, word in enumerate(words) if not is_latin(word)), 0)
    form = legal_form_of(" ".join(words[:count])) if count else None
    return None if form is None else (form, count)


def _mark(found: re.Match[str]) -> str:
    """A vowel sign is a part of its word (राम and रोम are two names), though regular expressions hold it for none.

    In Arabic and Hebrew vowels are written or not, as one likes.
    """
    sign = found[0]
    optional = unicodedata.name(sign, "").startswith(("ARABIC", "HEBREW"))
    return sign if unicodedata.category(sign).startswith("M") and not optional else ""


@lru_cache(CACHE)
def _without_symbols(text: str) -> str:
    """The name without pictograms, stars and the like, which would be read aloud; ㈱ and № are letters in disguise."""
    if text.isascii():
        return text
    return " ".join("".join(" " if _is_symbol(letter) else letter for letter in text).split())


def _is_symbol(letter: str) -> bool:
    kind = unicodedata.category(letter)
    joins = letter in "\ufe0e\ufe0f" or (kind == "Sk" and ord(letter) > 0xFFFF)
    return joins or (kind == "So" and letter not in "®©°" and unicodedata.normalize("NFKC", letter) == letter)


def _without_noise(text: str) -> str:
    """The name without markers that people put around it: *** X ***, X - DO NOT USE, c/o X."""
    text = _CARE_OF.sub("", _NOISE_ENDS.sub("", text))
    while True:
        shorter = _NOISE_ENDS.sub("", _without_mistyped_tail(_NOISE_TAIL.sub("", text)))
        if shorter in (text, ""):
            return text
        text = shorter


def _without_mistyped_tail(text: str) -> str:
    """`Acme Ltd - Account Paysble` without what is one slip away from a marker."""
    found = _TAIL.search(text)
    tail = fold(found["tail"]) if found is not None else ""
    near = any(OSA.distance(tail, status, score_cutoff=1) <= 1 for status in _STATUS_WITH_SLIPS) if tail else False
    return text[: found.start()] if found is not None and near else text


def _without_own_country(text: str, country: str | None) -> str:
    """`Aksu Kimya TR` of Turkey without the code. Codes that end names of national companies stay: Acme DE."""
    words = text.split()
    own = country is not None and country.lower() not in _COUNTRY_CODES and len(words) > 2 and words[-1] == country
    return " ".join(words[:-1]) if own else text


def _with_own_country(words: tuple[str, ...], country: str | None) -> tuple[str, ...]:
    """`acevedo exmico` of Mexico with the country as it is called: it may be the name of the country, with a slip."""
    if country is None or len(words) < 2:
        return words
    return tuple(_own_country(word, country) if len(word) >= _FEWEST_LETTERS else word for word in words)


def _own_country(word: str, country: str) -> str:
    if is_a_country(word):
        return word
    near = (name for name in words_of_country(country) if OSA.distance(word, name, score_cutoff=1) == 1)
    return next((name for name in near if _is_slip(word, name)), word)


def _is_slip(word: str, name: str) -> bool:
    """Whether a word that is one step away from a name is no word of its own: Danish, Italian or Polonia may be."""
    if sorted(word) == sorted(name):
        return True
    if len(word) == len(name) + 1 and any(word[:place] + word[place + 1 :] == name for place in _doubled(word)):
        return True
    return len(name) >= _LONG_COUNTRY and word[-1] == name[-1]


def _doubled(word: str) -> list[int]:
    return [place for place in range(1, len(word)) if word[place] == word[place - 1]]


def _split_other_names(text: str) -> tuple[str, tuple[str, ...]]:
    first, *others = _OTHER_NAME.split(text)
    if not first:
        return text, ()
    return first.strip(" ,;-"), tuple(other.strip(" )].,;") for other in others if other.strip(" )].,;"))


def _latin_core(words: tuple[str, ...], country: str | None) -> tuple[str | None, LegalForm | None]:
    words = _with_own_country(_without_place_behind_form(_without_partners(words), country), country)
    found = form_at_end(words, country) or mistyped_form(words)
    if found is not None:
        form, count = found
        words = words[:-count]
        words = words[listed_start(words, form) :]
        again = form_at_end(words, country)
        # A second form (Ltd. Co., Inc. Corp.) goes too, unless only a short word would be left.
        if again is not None and len("".join(words[: -again[1]])) > 3 and again[0].form_class == form.form_class:
            words = words[: -again[1]]
        return _joined(words), form
    found = form_at_start(words, country)
    if found is not None:
        return _joined(words[found[1] :]), found[0]
    return _joined(words), None


def _without_places(text: str) -> list[str]:
    """The parts of a name without a bracket or comma tail that only says where it is."""
    while (bracket := _BRACKET_TAIL.search(text)) and fold(bracket[1]).replace(" ", "") not in _FORM_BRACKETS:
        if bracket.start() == 0 or (not _is_place(bracket[1]) and ends_in_brackets(text, bracket[1])):
            break
        text = text[: bracket.start()]
    parts = [part for part in _COMMA.split(text) if fold(part)]
    while len(parts) > 1 and _is_place(parts[-1]) and legal_form_of(parts[-1]) is None:
        parts.pop()
    return parts


def _without_partners(words: tuple[str, ...]) -> tuple[str, ...]:
    """`rossi snc di mario rossi c` without the partners, whom a partnership of Italy names behind its form."""
    for place, word in enumerate(words):
        if word == "di" and any("".join(words[start:place]) in _PARTNERSHIPS for start in range(1, place)):
            return words[:place]
    return words


def _without_place_behind_form(words: tuple[str, ...], country: str | None) -> tuple[str, ...]:
    """`acme inc us` and `acme as cz` without the country or city that follows the legal form."""
    if form_at_end(words, country) is None:
        for count in (1, 2):
            if form_at_end(words[:-count], country) is not None and _is_place(" ".join(words[-count:])):
                return words[:-count]
    return words


def _is_place(text: str) -> bool:
    return is_city(text) or usual_country(text) is not None


def _joined(words: tuple[str, ...]) -> str | None:
    text = _COUNTRY_PHRASES.sub(lambda found: _PHRASE_WORDS.get(found[1], "britain"), " ".join(words))
    text = _ABBREVIATED_PHRASES.sub(lambda found: _ABBREVIATIONS[found[1]], text)
    words = tuple(text.split())
    if len(words) > 1 and words[0] in LEADING_WORDS:
        words = words[1:]
    if len(words) > 1:
        words = (*words[:-1], _COUNTRY_CODES.get(words[-1], words[-1]))
    inner = [
        EXPANSIONS.get(word, word)
        for position, word in enumerate(words)
        if not (0 < position < len(words) - 1 and (word in CONNECTORS or _is_short_und(words, position)))
    ]
    return " ".join(_merge_initials(inner)) or None


def _is_short_und(words: tuple[str, ...], position: int) -> bool:
    """`becker u sohne`, where the letter is not one of several initials."""
    return words[position] == "u" and len(words[position - 1]) > 1 and len(words[position + 1]) > 1


def _merge_initials(words: list[str]) -> list[str]:
    """Single letters in a row are one abbreviation: `p c smith` -> `pc smith`; so is `3 m` in front."""
    if len(words) > 1 and words[0].isdigit() and len(words[0]) == 1 and len(words[1]) == 1 and words[1].isalpha():
        words = ["".join(words[:2]), *words[2:]]
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
