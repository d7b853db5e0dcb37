"""Legal forms: found only where a name carries them, at its end or, for some, at its start.

A form word inside a name belongs to the name (AG Barr plc, Spa Medica, SAS Institute Inc.), so at most one form is
taken off and the end goes before the start.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml

from mdm.intake.standardise.text import CACHE, fold


@dataclass(frozen=True, slots=True)
class LegalForm:
    """How the form is usually written, and its class: llc, jsc, corp, lp, llp, gp, soleprop, coop, ngo, ..."""

    display: str
    form_class: str


#: Written without spaces, so no word boundary finds them, or unlike anything in Latin letters (בע"מ reads as VM there);
#: after NFKC, which turns ㈱ into (株). Longest first.
_NATIVE: Final = {
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
    "(株)": LegalForm("株式会社", "jsc"),
    "(有)": LegalForm("有限会社", "llc"),
    "(同)": LegalForm("合同会社", "llc"),
    "주식회사": LegalForm("주식회사", "jsc"),
    "유한회사": LegalForm("유한회사", "llc"),
    "(주)": LegalForm("주식회사", "jsc"),
    'בע"מ': LegalForm('בע"מ', "llc"),
    "בע״מ": LegalForm('בע"מ', "llc"),
    "ش.ذ.م.م.": LegalForm("ذ.م.م.", "llc"),
    "ش.ذ.م.م": LegalForm("ذ.م.م.", "llc"),
    "ذ.م.م.": LegalForm("ذ.م.م.", "llc"),
    "ذ.م.م": LegalForm("ذ.م.م.", "llc"),
    # What follows it in brackets (มหาชน, public) is taken for a place before.
    unicodedata.normalize("NFKC", "จำกัด"): LegalForm("จำกัด", "llc"),
}
_JAPANESE_FORMS: Final = frozenset({"株式会社", "有限会社", "合同会社", "合資会社", "合名会社", "K.K.", "Y.K.", "G.K."})
#: The longest form in the table has this many words.
_MOST_WORDS: Final = 9


def _table() -> tuple[dict[str, LegalForm], frozenset[str]]:
    entries = yaml.safe_load((Path(__file__).parent / "data" / "legal_forms.yaml").read_text(encoding="utf-8"))
    forms: dict[str, LegalForm] = {}
    first: set[str] = set()
    for entry in entries:
        form = LegalForm(entry["form"], entry["class"])
        for name in entry["names"]:
            key = fold(name).replace(" ", "")
            forms.setdefault(key, form)
            if entry.get("first"):
                first.add(key)
    return forms, frozenset(first)


_FORMS, _FIRST = _table()


def form_at_end(words: tuple[str, ...]) -> tuple[LegalForm, int] | None:
    """The longest form that ends these folded words, and its number of words; never all of them."""
    for count in range(min(_MOST_WORDS, len(words) - 1), 0, -1):
        form = _FORMS.get("".join(words[-count:]))
        if form is not None:
            return form, count
    return None


def form_at_start(words: tuple[str, ...], *, shortest: int = 3) -> tuple[LegalForm, int] | None:
    """The longest form that may stand first and does, and its number of words; never all of them.

    In Latin letters two of them are more often initials (AO Smith, GK Software) than a form.
    """
    for count in range(min(_MOST_WORDS, len(words) - 1), 0, -1):
        key = "".join(words[:count])
        if key in _FIRST and len(key) >= shortest:
            return _FORMS[key], count
    return None


def cut_native_form(text: str) -> tuple[str, LegalForm | None]:
    """The name without a form in the script of its country at its end or start."""
    text = unicodedata.normalize("NFKC", text)
    for written, form in _NATIVE.items():
        if text != written and text.endswith(written):
            return text[: -len(written)].strip(), form
        if text != written and text.startswith(written):
            return text[len(written) :].strip(), form
    return text, None


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
