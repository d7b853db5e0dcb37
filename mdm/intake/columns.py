"""Columns of a table as columns that a matching model reads, for domains that the hub has no attributes for.

Each function takes the texts of the source columns and returns a text, a list of texts, a number, or None for unknown.
A mapping names it (`as: words`) with its options. Nothing here knows any domain.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Final, TypeAlias

from mdm.intake.standardise.lists import variants_of, words_of
from mdm.intake.standardise.text import fold, fold_code

Value: TypeAlias = str | list[str] | float | None
Options: TypeAlias = Mapping[str, str]
Deriver: TypeAlias = Callable[[Sequence[str], Options], Value]

_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9/._-]*[a-z0-9]")
_DATES: Final = (
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%m/%d/%y",
    "%d.%m.%Y",
    "%Y%m%d",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%b %d %Y",
)
#: Years of two digits are not later than this one.
_LAST_SHORT_YEAR: Final = 2029
_YEAR: Final = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)")


def folded(texts: Sequence[str], options: Options) -> Value:
    """Lower-case ASCII words. `first: n` keeps n characters, `words: n` that many words."""
    text = " ".join(filter(None, map(fold, texts)))
    if "words" in options:
        text = " ".join(text.split()[: int(options["words"])])
    return text[: int(options["first"])] if "first" in options else text


def compact(texts: Sequence[str], options: Options) -> Value:
    """Letters and digits only. `first: n` and `last: n` keep that many characters."""
    text = "".join(map(fold_code, texts))
    if "first" in options:
        text = text[: int(options["first"])]
    return text[-int(options["last"]) :] if "last" in options else text


def words(texts: Sequence[str], options: Options) -> Value:
    """The distinct words. `shortest: n` leaves out shorter ones, `without: digits` numbers, `first: n` cuts each."""
    found = [word for text in texts for word in fold(text).split() if len(word) >= int(options.get("shortest", "1"))]
    if options.get("without") == "digits":
        found = [word for word in found if not word.isdigit()]
    return [word[: int(options["first"])] for word in found] if "first" in options else found


def sorted_words(texts: Sequence[str], _options: Options) -> Value:
    """The distinct words in alphabetical order, as one text."""
    return " ".join(sorted({word for text in texts for word in fold(text).split()}))


def word_pairs(texts: Sequence[str], options: Options) -> Value:
    """Every two words together, of the `longest: n` longest words: keys that survive one misspelt word."""
    found = {word for text in texts for word in fold(text).split()}
    if options.get("without") == "digits":
        found = {word for word in found if not word.isdigit()}
    chosen = sorted(sorted(found, key=lambda word: (-len(word), word))[: int(options.get("longest", "6"))])
    return [f"{a}+{b}" for i, a in enumerate(chosen) for b in chosen[i + 1 :]]


def grams(texts: Sequence[str], options: Options) -> Value:
    """Every run of `size: n` characters (4 unless said) of the text without spaces: keys that survive typing errors."""
    size, text = int(options.get("size", "4")), "".join(map(fold_code, texts))
    return [text[at : at + size] for at in range(max(len(text) - size + 1, 0))]


def initials(texts: Sequence[str], _options: Options) -> Value:
    """The first letters of the words; of three words and more."""
    found = " ".join(map(fold, texts)).split()
    return "".join(word[0] for word in found) if len(found) >= 3 else None


def numbers(texts: Sequence[str], options: Options) -> Value:
    """Every number in the text, without leading zeros. `shortest: n` leaves out those of fewer digits."""
    shortest = int(options.get("shortest", "1"))
    found = [number for text in texts for number in re.findall(r"\d+", text)]
    return [number.lstrip("0") or "0" for number in found if len(number) >= shortest]


def digits(texts: Sequence[str], options: Options) -> Value:
    """The digits only, if there are at least `shortest: n` (5 unless said). `last: n` keeps the last n."""
    text = re.sub(r"\D", "", " ".join(texts))
    if len(text) < int(options.get("shortest", "5")):
        return None
    return text[-int(options["last"]) :] if "last" in options else text


def codes(texts: Sequence[str], options: Options) -> Value:
    """Words that mix letters and digits, as model numbers do, of at least `shortest: n` characters (4 unless said).

    A code written in parts (`PSLX-350H`) counts as a whole; digits alone count when there are five or more.
    """
    shortest = int(options.get("shortest", "4"))
    found = []
    for text in texts:
        for word in _CODE.findall(text.casefold()):
            code = fold_code(word)
            mixed = any(c.isdigit() for c in code) and any(c.isalpha() for c in code)
            if len(code) >= shortest and (mixed or (code.isdigit() and len(code) >= 5)):
                found.append(code)
    return found


def amount(texts: Sequence[str], options: Options) -> Value:
    """The first number, with its decimals. `scale: log` gives its binary logarithm: 1 more is twice as much.

    `1,299.00`, `1.299,00` and `12,50` say themselves where the decimals begin; for `1.299` and `1,299`, and whatever
    else could be read either way, `decimal: comma` says that a comma stands there (a point unless said).
    """
    found = _NUMBER.search(" ".join(texts))
    number = _amount(found[0], options.get("decimal") == "comma") if found else None
    if number is None or options.get("scale") != "log":
        return number
    return math.log2(number) if number > 0 else None


def _amount(text: str, comma: bool) -> float | None:
    if "," in text and "." in text:
        comma = text.rindex(",") > text.rindex(".")
    elif text.count(",") == 1 and len(text) - text.index(",") != 4:
        comma = True  # thousands are three digits
    plain = text.replace(".", "").replace(",", ".") if comma else text.replace(",", "")
    return float(plain) if plain.count(".") <= 1 else None


def day(texts: Sequence[str], options: Options) -> Value:
    """A date as YYYY-MM-DD; `format` says which order day and month have where the text does not."""
    parsed = _day(" ".join(texts).strip(), options.get("format", ""))
    return parsed.isoformat() if parsed else None


def days(texts: Sequence[str], options: Options) -> Value:
    """A date as the number of its day."""
    parsed = _day(" ".join(texts).strip(), options.get("format", ""))
    return float(parsed.toordinal()) if parsed else None


def swapped_day(texts: Sequence[str], options: Options) -> Value:
    """A date as YYYY-DD-MM, to find day and month written in the wrong order; None where they cannot be swapped."""
    parsed = _day(" ".join(texts).strip(), options.get("format", ""))
    return parsed.strftime("%Y-%d-%m") if parsed and parsed.day <= 12 else None


def year(texts: Sequence[str], _options: Options) -> Value:
    """The first year in the text, as a number."""
    found = _YEAR.search(" ".join(texts))
    return float(found[1]) if found else None


def listed(texts: Sequence[str], options: Options) -> Value:
    """The parts between separators (`by`, a comma unless said), each folded. `keep: last` keeps their last words."""
    parts = [fold(part) for text in texts for part in re.split(options.get("by", ","), text)]
    if options.get("keep") == "last":
        return [part.split()[-1] for part in parts if part.split()]
    return parts


def given_names(texts: Sequence[str], _options: Options) -> Value:
    """The given names of a person with their usual short forms: bob is robert. One letter stands for itself."""
    return [_usual(word) for text in texts for word in fold(text).split() if word not in _TITLES]


def generation(texts: Sequence[str], _options: Options) -> Value:
    """What tells father and son of one name apart: junior, senior, or a number."""
    found = [word for text in texts for word in fold(text).split()[1:] if word in _GENERATIONS]
    return _GENERATIONS[found[0]] if found else None


def value(texts: Sequence[str], _options: Options) -> Value:
    """The text as it stands, without outer white space."""
    return " ".join(text.strip() for text in texts).strip()


_NICKNAMES: Final = variants_of("given_names")
_GENERATIONS: Final = {
    "jr": "junior", "junior": "junior", "sr": "senior", "senior": "senior", "i": "1", "ii": "2", "iii": "3", "iv": "4",
}  # fmt: skip
_TITLES: Final = words_of("person_titles")


def _usual(word: str) -> str:
    return _NICKNAMES.get(word, word)


@lru_cache(65_536)
def _day(text: str, order: str) -> date | None:
    short = order.replace("%Y", "%y")
    for form in (short, order, *_DATES) if order else _DATES:
        try:
            found = datetime.strptime(text[:10] if form == "%Y-%m-%d" else text, form).date()  # noqa: DTZ007
        except ValueError:
            continue
        return found.replace(year=found.year - 100) if "%y" in form and found.year > _LAST_SHORT_YEAR else found
    return None


DERIVERS: Final[Mapping[str, Deriver]] = {
    "folded": folded,
    "compact": compact,
    "words": words,
    "sorted_words": sorted_words,
    "word_pairs": word_pairs,
    "grams": grams,
    "initials": initials,
    "numbers": numbers,
    "digits": digits,
    "codes": codes,
    "amount": amount,
    "day": day,
    "days": days,
    "swapped_day": swapped_day,
    "year": year,
    "list": listed,
    "generation": generation,
    "given_names": given_names,
    "value": value,
}


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) > 0


def _separates(text: str) -> bool:
    """Whether it is a regular expression that stands for something: a bare `|` would part every two letters."""
    try:
        return re.compile(text).match("") is None
    except re.error:
        return False


_DIGITS: Final = (lambda text: text == "digits", "must be digits")
_COUNT: Final = (_is_count, "must be a whole number above 0")
_ORDER: Final = (lambda text: "%" in text, "must say the order of the parts, such as %d/%m/%Y")

#: The options that a function reads: what each may be, and in words. Any other would be ignored without a word.
OPTIONS: Final[Mapping[str, Mapping[str, tuple[Callable[[str], bool], str]]]] = {
    "folded": {"first": _COUNT, "words": _COUNT},
    "compact": {"first": _COUNT, "last": _COUNT},
    "words": {"shortest": _COUNT, "first": _COUNT, "without": _DIGITS},
    "word_pairs": {"longest": _COUNT, "without": _DIGITS},
    "grams": {"size": _COUNT},
    "numbers": {"shortest": _COUNT},
    "digits": {"shortest": _COUNT, "last": _COUNT},
    "codes": {"shortest": _COUNT},
    "amount": {
        "scale": (lambda text: text == "log", "must be log"),
        "decimal": (lambda text: text in ("comma", "point"), "must be comma or point"),
    },
    "day": {"format": _ORDER},
    "days": {"format": _ORDER},
    "swapped_day": {"format": _ORDER},
    "list": {
        "by": (_separates, "must be a regular expression for what stands between parts (a bar is \\|)"),
        "keep": (lambda text: text == "last", "must be last"),
    },
}
