"""Numbers of documents as people and interfaces re-type them: other signs, other padding, words before and behind.

A number is read into one form, by which it is compared, and further forms under which it may be met. Whether two
numbers are one is not decided here.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from anyascii import anyascii

from mdm.intake.standardise.junk import is_placeholder_number
from mdm.intake.standardise.text import CACHE, fold_code, tidy

#: What people write behind a number: another number, a version, a state.
_TAIL: Final = re.compile(r"(?<=\w)(?:\s*[,;|(].*|\s+[/-].*|\s+(?:v\d+|rev\.?\s*\d+))$", re.IGNORECASE)
#: Where the next number of a text begins.
_NEXT: Final = re.compile(r"\s*[,;|()]\s*|\s+[/&+–—-]\s+")
_TRAILING_DIGITS: Final = re.compile(r"^[a-z]{1,6}(\d{6,})$")
#: What people write before a number to say what it is.
_HEAD: Final = re.compile(
    "^(?:contract|agreement|vertrag|contratto|contrato|contrat|overeenkomst|umowa|avtal|our|your|reference|ref"
    r"|numero|nummer|number|num|nr|no)+(?=[a-z]{0,6}\d{6})"
)
_DATE: Final = r"(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d\d)|\d{4}[./-]\d\d[./-]\d\d)"
#: The day of a document behind its number, with a word or two between them in any language (dated, vom, z dnia).
_DATED: Final = re.compile(rf"(?<=\d)(?:\s+[^\W\d]+\.?){{0,2}}\s+{_DATE}\.?$")
_ONLY_DATE: Final = re.compile(rf"^{_DATE}$")
_WORDS: Final = re.compile(r"[\s:#№º°]+")
_SIGNS: Final = re.compile(r"[^a-z0-9]+")
_RUNS: Final = re.compile(r"[a-z]+|\d+")
_YEAR: Final = re.compile(r"(?:19[89]|20[0-4])\d")
_YEAR_AND_COUNTER: Final = re.compile(rf"({_YEAR.pattern})(\d{{3,}})")
_SHORT_YEAR: Final = re.compile(r"[0-4]\d")
#: A counter and its year, which nothing else can be: `CT-24/2024`.
_OVER_YEAR: Final = re.compile(rf"/\s*{_YEAR.pattern}$")
#: A counter and its short year, which may as well be a part and its number: `123/24`, `UM/123/24`, `123/UM/24`.
_OVER_SHORT_YEAR: Final = re.compile(
    r"(?:(?P<first>[a-z]{1,6})[^a-z0-9]+)?(?P<counter>\d{1,5})(?:/(?P<inner>[a-z]{1,6}))?/(?P<year>[0-4]\d)"
)
#: O, I and l among digits are slips for 0 and 1.
_LIKE_DIGITS: Final = str.maketrans("oil", "011")
_AMONG_DIGITS: Final = re.compile(r"[oil]*\d(?:[0-9oil]*\d)?")
#: What a part of a contract, an annex or an amendment of it has behind the number of the contract.
_SUFFIX: Final = re.compile(r"[a-z]{1,3}\d{0,3}|\d{1,2}")
#: The counter of a year is written with so many digits at least.
_COUNTER: Final = 6
#: A number, or what is left of one, with fewer digits names no document by itself.
_TELLING: Final = 6
_STEM: Final = 5
_GROUPED: Final = 4
#: A text states so many numbers at most; what follows is prose.
_MOST: Final = 4
#: A longer text is prose, of which nothing is cut off.
_LONGEST: Final = 400


@lru_cache(CACHE)
def number_form(text: str) -> str | None:
    """A document number folded, without what stands behind it; None for a placeholder.

    The counter of a year is filled up: `CT-2024-000123`, `ct 2024/123`, `CT2O24-0123` and `CT-123/2024` are
    `ct2024000123`.
    """
    number = tidy(text)
    if not number or is_placeholder_number(number):
        return None
    return _form(_first(number)) or None


@lru_cache(CACHE)
def number_forms(text: str) -> tuple[str, ...]:
    """The forms under which the first number of a text may be met: without words that say what it is, and without its
    letters where only digits follow them.

    People leave the prefix out, and write more before it.
    """
    form = number_form(text)
    if form is None:
        return ()
    bare = _first(tidy(text))
    forms = [form, *_without_head(form), fold_code(bare), *_without_head(fold_code(bare))]
    words = _WORDS.split(bare)
    first = next((place for place, word in enumerate(words) if _digits(word)), 0)
    if first:
        alone = _form(" ".join(words[first:]))
        forms += [alone, *_without_head(alone)] if _digits(alone) >= _TELLING else []
    return tuple(dict.fromkeys((*forms, *_without_padding(bare), *_of_short_year(words[first:]))))


def further_number_forms(text: str) -> tuple[str, ...]:
    """The same of the further numbers of a text that states several: an order and a contract."""
    found: list[str] = []
    for each in _NEXT.split(_DATED.sub("", tidy(text)))[:_MOST]:
        if _digits(each) >= _TELLING and _ONLY_DATE.fullmatch(each) is None:
            found += number_forms(each)
    return tuple(form for form in dict.fromkeys(found) if form not in number_forms(text))


@lru_cache(CACHE)
def number_stems(text: str) -> tuple[str, ...]:
    """The numbers of which a number may be a part, an annex or an amendment (`CT-2024-000123/1`, `10001 Nachtrag 2`).

    What they are good for is finding each other: the part may be another contract.
    """
    number = tidy(text)
    words = [word for word in _WORDS.split(number) if word]
    first = next((place for place, word in enumerate(words) if _digits(word)), 0)
    behind = next((place for place in range(first + 1, len(words)) if not _digits(words[place])), None)
    found = [_form(" ".join(words[:behind]))] if behind is not None else []
    cut, separator, suffix = _rpartition(" ".join(words[:behind]))
    if separator and _SUFFIX.fullmatch(suffix):
        found.append(_form(cut))
    stems = (each for form in found if _digits(form) >= _STEM for each in (form, *_without_head(form)))
    return tuple(dict.fromkeys(stems))


def _first(text: str) -> str:
    """The first number of a text, without what stands behind it; signs with blanks may part a number, too."""
    if len(text) > _LONGEST:
        return text
    place = 0
    while found := _TAIL.search(text, place):
        if _digits(text[: found.start()]) >= (_STEM if found[0].lstrip().startswith("-") else 1):
            text = text[: found.start()]
            break
        place = found.start() + 1
    return _DATED.sub("", text)


def _without_head(form: str) -> list[str]:
    bare = _HEAD.sub("", form)
    digits = _TRAILING_DIGITS.match(bare)
    return [bare, *((digits[1],) if digits else ())]


def _without_padding(text: str) -> list[str]:
    """`AB-0012-0045` as `ab12.45`: groups of digits without the zeros before them, where no year says what they are."""
    runs = _runs(text)
    digits = [run for run in runs if run.isdigit()]
    if len(digits) < 2 or _year(runs) is not None or len("".join(digits)) < _GROUPED:
        return []
    parts = [f"{run.lstrip('0') or '0'}." if run.isdigit() else run for run in runs]
    return ["".join(parts).removesuffix(".")]


def _of_short_year(words: list[str]) -> list[str]:
    """`123/24` as number 123 of 2024: another reading, for it need not be a year."""
    found = _OVER_SHORT_YEAR.fullmatch(_ascii(" ".join(words)))
    if found is None or (found["first"] and found["inner"]):
        return []
    form = f"20{found['year']}{found['counter'].zfill(_COUNTER)}"
    letters = found["first"] or found["inner"]
    return [f"{letters}{form}", form] if letters else [form]


def _form(text: str) -> str:
    runs = _runs(text)
    place = _year(runs)
    if place is None:
        return "".join(runs)
    year, counter = runs[place], place + 1
    if (
        len(runs[counter]) <= 2
        and counter + 1 < len(runs)
        and len(runs[counter + 1]) > 2
        and runs[counter + 1].isdigit()
    ):
        runs[counter] = runs[counter].zfill(2)  # the month
        counter += 1
    runs[place] = year if len(year) > 2 else f"20{year}"
    runs[counter] = (runs[counter].lstrip("0") or "0").zfill(_COUNTER)
    return "".join(runs)


def _year(runs: list[str]) -> int | None:
    return next((place for place in range(len(runs) - 1) if _is_year(runs, place)), None)


def _is_year(runs: list[str], place: int) -> bool:
    if not runs[place + 1].isdigit():
        return False
    if _YEAR.fullmatch(runs[place]):
        return True
    lettered = place > 0 and not runs[place - 1].isdigit()
    return lettered and _SHORT_YEAR.fullmatch(runs[place]) is not None and len(runs[place + 1]) > 2


def _runs(text: str) -> list[str]:
    """Letters and digits in turn, as signs part them; a year at the head of a run of digits is a run of its own.

    A year behind its counter comes first, and letters between the two before them: `CT-123/2024` and `123/CT/2024` as
    `CT-2024/123`.
    """
    runs: list[str] = []
    plain = _ascii(text)
    words = _SIGNS.split(plain)
    if (ordered := _around_letters(words)) is not None:
        return ordered
    for place, word in enumerate(words):
        for run in _RUNS.findall(_mended(word, place > 0)):
            year = _YEAR_AND_COUNTER.fullmatch(run)
            parted = year is not None and (year[2].startswith("0") or (bool(runs) and not runs[-1].isdigit()))
            runs += [year[1], year[2]] if year is not None and parted else [run]
    return [*runs[:-2], runs[-1], runs[-2]] if _ends_in_year(runs, plain) else runs


def _around_letters(words: list[str]) -> list[str] | None:
    """Letters, year and counter of a number that has its letters in the middle; None of another."""
    if len(words) != 3 or not (words[0].isdigit() and words[1].isalpha() and words[2].isdigit()):
        return None
    if _YEAR.fullmatch(words[2]):
        return [words[1], words[2], words[0]]
    return [words[1], words[0], words[2]] if _YEAR.fullmatch(words[0]) else None


def _ends_in_year(runs: list[str], text: str) -> bool:
    """A counter and its year, and no other digits that the last ones could go with."""
    if len(runs) < 2 or not _YEAR.fullmatch(runs[-1]):
        return False
    if (year := _year(runs)) is not None and (_YEAR.fullmatch(runs[year]) or not _OVER_YEAR.search(text)):
        return False
    digits = [run for run in runs[:-1] if run.isdigit()]
    return len(digits) == 1 and digits[0] is runs[-2] and len(runs[-2]) <= _COUNTER


def _mended(word: str, behind: bool) -> str:
    """A word with digits for the letters that look like them, where they stand among digits."""
    first = re.search(r"\d", word)
    if first is None:
        return word
    begin = 0 if behind and len(word) > 2 and _AMONG_DIGITS.fullmatch(word) else first.start()
    found = _AMONG_DIGITS.fullmatch(word, begin)
    return word[:begin] + word[begin:].translate(_LIKE_DIGITS) if found else word


def _rpartition(text: str) -> tuple[str, str, str]:
    found = re.fullmatch(r"(.*[^\W_])(\W|_)+([^\W_]+)", text)
    return (found[1], found[2], _ascii(found[3])) if found else (text, "", "")


@lru_cache(CACHE)
def _ascii(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold()
    return text if text.isascii() else anyascii(text).lower()


def _digits(text: str) -> int:
    return sum(character.isdigit() for character in text)
