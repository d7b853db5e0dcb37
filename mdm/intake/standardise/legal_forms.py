"""Legal forms: found only where a name carries them, at its end or, for some, at its start.

A form word inside a name belongs to the name (AG Barr plc, Spa Medica, SAS Institute Inc.), so at most one form is
taken off and the end goes before the start.

What a form is depends on where: in Japan, Korea, China and Taiwan companies of several forms call themselves
`Co., Ltd.` in English, so it says there no more than that it is a company.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml
from rapidfuzz.distance import OSA

from mdm.intake.standardise.lists import words_of
from mdm.intake.standardise.text import CACHE, fold


@dataclass(frozen=True, slots=True)
class LegalForm:
    """How the form is usually written, and its class: llc, jsc, corp, lp, llp, gp, soleprop, coop, ngo, ...

    Class `any` may be each of them.
    """

    display: str
    form_class: str


#: Written without spaces, so no word boundary finds them, or unlike anything in Latin letters (בע"מ reads as VM there);
#: after NFKC, which turns ㈱ into (株). Longest first.
_WRITTEN: Final = {
    "股份有限公司": LegalForm("股份有限公司", "jsc"),
    "有限责任公司": LegalForm("有限责任公司", "llc"),
    "有限責任公司": LegalForm("有限責任公司", "llc"),
    "集团有限公司": LegalForm("有限公司", "llc"),
    "有限公司": LegalForm("有限公司", "llc"),
    "株式会社": LegalForm("株式会社", "jsc"),
    "株式會社": LegalForm("株式会社", "jsc"),
    "有限会社": LegalForm("有限会社", "llc"),
    "合同会社": LegalForm("合同会社", "llc"),
    "合資会社": LegalForm("合資会社", "lp"),
    "合名会社": LegalForm("合名会社", "gp"),
    "股份公司": LegalForm("股份有限公司", "jsc"),
    "合伙企业(有限合伙)": LegalForm("有限合伙", "lp"),
    "(有限合伙)": LegalForm("有限合伙", "lp"),
    "(株)": LegalForm("株式会社", "jsc"),
    "(有)": LegalForm("有限会社", "llc"),
    "(同)": LegalForm("合同会社", "llc"),
    "주식회사": LegalForm("주식회사", "jsc"),
    "유한책임회사": LegalForm("유한책임회사", "llc"),
    "유한회사": LegalForm("유한회사", "llc"),
    "합자회사": LegalForm("합자회사", "lp"),
    "합명회사": LegalForm("합명회사", "gp"),
    "(유)": LegalForm("유한회사", "llc"),
    "(주)": LegalForm("주식회사", "jsc"),
    'בע"מ': LegalForm('בע"מ', "llc"),
    "בע״מ": LegalForm('בע"מ', "llc"),
    "ش.ذ.م.م.": LegalForm("ذ.م.م.", "llc"),
    "ش.ذ.م.م": LegalForm("ذ.م.م.", "llc"),
    "ذ.م.م.": LegalForm("ذ.م.م.", "llc"),
    "ذ.م.م": LegalForm("ذ.م.م.", "llc"),
    "จำกัด (มหาชน)": LegalForm("บมจ.", "jsc"),
    "จำกัด(มหาชน)": LegalForm("บมจ.", "jsc"),
    "ห้างหุ้นส่วนจำกัด": LegalForm("หจก.", "lp"),
    "บมจ.": LegalForm("บมจ.", "jsc"),
    "บจก.": LegalForm("จำกัด", "llc"),
    "หจก.": LegalForm("หจก.", "lp"),
    "จำกัด": LegalForm("จำกัด", "llc"),
}
_NATIVE: Final = {unicodedata.normalize("NFKC", written): form for written, form in _WRITTEN.items()}
#: Stands before the name of a Thai company whose form stands behind it.
_COMPANY: Final = unicodedata.normalize("NFKC", "บริษัท")
_JAPANESE_FORMS: Final = frozenset({"株式会社", "有限会社", "合同会社", "合資会社", "合名会社", "K.K.", "Y.K.", "G.K."})
#: The longest form in the table has this many words.
_MOST_WORDS: Final = 9


#: Forms behind a name that may have another before it: the country, and which. Finland says its own in two languages.
_BOTH_ENDS: Final = {"Tbk.": ("ID", ("PT",)), "AB": ("FI", ("Oy",)), "Oy": ("FI", ("AB", "Oy"))}

#: May be a form of any class.
_ANY: Final = "any"
_EAST_ASIA: Final = ("JP", "KR", "CN", "TW")
#: What forms in English, or in another language of the country, are where the law knows others: a class, or any of
#: several. No country: nobody knows which.
_ABROAD: Final[Mapping[str, Mapping[str | None, str]]] = {
    "Co., Ltd.": dict.fromkeys((*_EAST_ASIA, "HK", None), _ANY),
    "Ltd.": {**dict.fromkeys(_EAST_ASIA, _ANY), "CH": "jsc"},  # in English for AG
    "Co.": dict.fromkeys(_EAST_ASIA, _ANY),
    "AB": {"FI": "llc"},  # Swedish for Oy
    "Inc.": {"JP": "jsc", "KR": "jsc", "TW": "jsc", "CN": _ANY},
    "Corp.": {"JP": "jsc", "KR": "jsc", "TW": "jsc", "CN": _ANY},
}
#: Capitals that are a form and, alone, more likely somebody's name (a bank, an airport), folded.
_ALSO_NAMES: Final = words_of("forms_that_are_names")


#: Letters of initials at the most; what is longer is a form spelled out.
_INITIALS: Final = 5
_NOWHERE: Final[frozenset[str]] = frozenset()
_ANYWHERE: Final[Mapping[str, LegalForm]] = {}


class _Forms:
    """The table: forms by their folded writing, and where in a name each may stand."""

    def __init__(self) -> None:
        entries = yaml.safe_load((Path(__file__).parent / "data" / "legal_forms.yaml").read_text(encoding="utf-8"))
        self.forms: dict[str, LegalForm] = {}
        self.first: set[str] = set()
        #: Short ones that stand first in these countries only.
        self.first_in: dict[str, frozenset[str]] = {}
        #: Countries in which they are initials at the start of a name.
        self.not_first_in: dict[str, frozenset[str]] = {}
        #: What is one in these countries only, or another one there.
        self.only_in: dict[str, dict[str, LegalForm]] = {}
        #: In the letters of their country only: АТ is one, at and Pat are words.
        self.script: dict[str, LegalForm] = {}
        for entry in entries:
            form = LegalForm(entry["form"], entry["class"])
            self.script.update(dict.fromkeys(entry.get("script", ()), form))
            for name in entry.get("names", ()):
                key = fold(name).replace(" ", "")
                if "only_in" in entry:
                    here = self.only_in.setdefault(key, {})
                    here |= {place: form for place in entry["only_in"] if place not in here}
                else:
                    self.forms.setdefault(key, form)
                if entry.get("first"):
                    self.first.add(key)
                for place, known in (("first_in", self.first_in), ("not_first_in", self.not_first_in)):
                    known[key] = known.get(key, frozenset()) | frozenset(entry.get(place, ()))


_TABLE: Final = _Forms()
_FORMS, _FIRST = _TABLE.forms, _TABLE.first


#: A slip is looked for in words of so many letters at least; in words with vowels where they are long.
_FEWEST_LETTERS: Final = 4
_LONG: Final = 6
_VOWEL: Final = re.compile("[aeiou]")
_SHORT_FORMS: Final = ("ltd", "llc", "gmbh")


def _with_one_letter_less(text: str) -> set[str]:
    return {text[:place] + text[place + 1 :] for place in range(len(text))}


def _near(forms: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """The forms that are a text or lose a letter to become it: what is one slip away shares such a text."""
    found: dict[str, set[str]] = {}
    for form in forms:
        for text in (form, *_with_one_letter_less(form)):
            found.setdefault(text, set()).add(form)
    return {text: frozenset(written) for text, written in found.items()}


_LONG_FORMS: Final = _near(key for key in _FORMS if len(key) > _LONG)
_NEAR_SHORT_FORMS: Final = _near(_SHORT_FORMS)
_LONGEST: Final = max(map(len, _FORMS))


def class_in(form: LegalForm, country: str | None) -> str | None:
    """The class of a form in a country; None where it may be of several."""
    found = _ABROAD.get(form.display, {}).get(country, form.form_class)
    return None if found == _ANY else found


def may_be_one(one: str, other: str, country: str | None) -> bool:
    """Whether a company of a country may state both forms, one in its own words and one in translation."""
    first, second = legal_form_of(one), legal_form_of(other)
    if one == other or first is None or second is None:
        return one == other
    classes = class_in(first, country), class_in(second, country)
    return None in classes or (country in _EAST_ASIA and classes[0] == classes[1])


def _form(key: str, country: str | None) -> LegalForm | None:
    return _TABLE.only_in.get(key, _ANYWHERE).get(country or "") or _FORMS.get(key)


def form_at_end(words: tuple[str, ...], country: str | None = None) -> tuple[LegalForm, int] | None:
    """The longest form that ends these folded words, and its number of words; never all of them."""
    for count in range(min(_MOST_WORDS, len(words) - 1), 0, -1):
        form = _form("".join(words[-count:]), country)
        if form is not None:
            return form, count
    return None


def mistyped_form(words: tuple[str, ...]) -> tuple[LegalForm, int] | None:
    """The form that ends these folded words but for one slip (`limted`, `pvt imited`, `gmbhh`); never all of them.

    A short word is one only where it has no vowel: with one it may be a name.
    """
    for count in range(min(_MOST_WORDS, len(words) - 1), 0, -1):
        key = "".join(words[-count:])
        if len(key) >= _LONG:
            forms = _LONG_FORMS
        elif count == 1 and len(key) >= _FEWEST_LETTERS and not _VOWEL.search(key):
            forms = _NEAR_SHORT_FORMS
        else:
            continue
        if len(key) > _LONGEST + 1:
            continue
        near = {form for text in (key, *_with_one_letter_less(key)) for form in forms.get(text, ())}
        found = sorted(form for form in near if OSA.distance(key, form, score_cutoff=1) <= 1)
        if found:
            return _FORMS[found[0]], count
    return None


def form_at_start(
    words: tuple[str, ...], country: str | None = None, *, shortest: int = 3
) -> tuple[LegalForm, int] | None:
    """The longest form that may stand first and does, and its number of words; never all of them.

    In Latin letters two of them are more often initials (AO Smith, GK Software) than a form, but for countries where
    the form stands first (PT Acme, K.K. Acme, AB Acme). Three are initials where no law knows them (SAS Institute, US),
    and may be where nothing says of which country the company is.
    """
    for count in range(min(_MOST_WORDS, len(words) - 1), 0, -1):
        key = "".join(words[:count])
        initials = _TABLE.not_first_in.get(key, _NOWHERE) if len(key) <= _INITIALS else _NOWHERE
        anywhere = key in _FIRST and len(key) >= shortest and (country not in initials if country else not initials)
        form = _form(key, country) if anywhere or country in _TABLE.first_in.get(key, ()) else None
        if form is not None:
            return form, count
    return None


def initials_or_form(words: tuple[str, ...]) -> int:
    """How many words at the start are initials or a form, which nobody can tell where no country is known."""
    for count in range(min(_MOST_WORDS, len(words) - 1), 0, -1):
        key = "".join(words[:count])
        if key in _FIRST and len(key) <= _INITIALS and _TABLE.not_first_in.get(key):
            return count
    return 0


def script_form(word: str) -> LegalForm | None:
    """The form that a word is in the letters of its country, which would be a word in Latin ones."""
    return _TABLE.script.get(word.casefold())


def listed_start(words: tuple[str, ...], form: LegalForm) -> int:
    """How many words before a name belong to the form behind it (`PT Acme Tbk`, `Oy Acme Ab`)."""
    country, displays = _BOTH_ENDS.get(form.display, (None, ()))
    found = form_at_start(words, country) if country is not None else None
    return found[1] if found is not None and found[0].display in displays else 0


def cut_native_form(text: str) -> tuple[str, LegalForm | None]:
    """The name without a form in the script of its country at its end or start."""
    text = unicodedata.normalize("NFKC", text)
    for written, form in _NATIVE.items():
        if text != written and text.endswith(written):
            return _without_company(text[: -len(written)].strip()), form
        if text != written and text.startswith(written):
            return text[len(written) :].strip(), form
    return _without_company(text), None


def _without_company(text: str) -> str:
    return text.removeprefix(_COMPANY).strip() or text


def ends_in_brackets(text: str, inner: str) -> bool:
    """Whether brackets at the end of a name, with `inner` between them, are its form: `田中運輸(株)`, `Tanaka (K.K.)`.

    Two Latin letters are more often a country.
    """
    normal = unicodedata.normalize("NFKC", text)
    if any(normal.endswith(written) for written in _NATIVE if written.endswith(")")):
        return True
    form = legal_form_of(inner)
    return form is not None and (is_japanese_form(form) or len(fold(inner).replace(" ", "")) > 2)


def is_only_a_form(text: str) -> bool:
    """Whether a name is a legal form and nothing else (`GmbH`, `(株)`), so that it names nobody."""
    return fold(text) not in _ALSO_NAMES and legal_form_of(text) is not None


def is_japanese_form(form: LegalForm | None) -> bool:
    """Whether only Japanese companies have this form."""
    return form is not None and form.display in _JAPANESE_FORMS


@lru_cache(CACHE)
def legal_form_of(text: str) -> LegalForm | None:
    """The form that a text is, as in a column that holds nothing else."""
    normal = unicodedata.normalize("NFKC", text).strip()
    if normal in _NATIVE:
        return _NATIVE[normal]
    return _FORMS.get(fold(normal).replace(" ", ""))
