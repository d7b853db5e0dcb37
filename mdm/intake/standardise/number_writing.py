"""What people write around the number of a company: its label, its register or court, the site or the tax it is for."""

import re
import unicodedata
from typing import Final, NamedTuple

from mdm.intake.standardise.lists import words_of
from mdm.intake.standardise.places import city_form
from mdm.intake.standardise.text import fold

_GAP: Final = r"[\s.,:#/°_-]"
_LABELS: Final = sorted((re.escape(word.upper()) for word in words_of("number_labels")), key=len, reverse=True)
#: `USt-IdNr.: `, `KvK-nr. `: a word that says what the number is, set apart or before a digit.
_LABEL: Final = re.compile(
    rf"{_GAP}*(?:(?:{'|'.join(label for label in _LABELS if len(label) > 2)})(?:{_GAP}+|(?=\d))"
    # Two letters may be a part of the number (IC000123, a province of Italy), so a mark must follow: `P. IVA`.
    rf"|(?:{'|'.join(label for label in _LABELS if len(label) <= 2)})\s?[.:#°]{_GAP}*)"
)
#: Behind a label there may be another: `VAT No GB 980 7806 84`.
_FURTHER: Final = re.compile(rf"{_GAP}*(?:{'|'.join(_LABELS)}){_GAP}+")
#: In Mexico a tax number begins with the initials of the company, set apart by hyphens: `CIF-840101-AB1`.
_LABEL_IN_MEXICO: Final = re.compile(r"\s*(?:RFC|R\.F\.C\.)\s*[:.]*\s*")
_DOTTED: Final = re.compile(r"(?<![A-Z0-9])(?:[A-Z]\.){1,3}[A-Z]\.?(?![A-Z])")
#: `Amtsgericht München, HRB 178441 B`.
_GERMAN: Final = re.compile(
    r"(?<![A-Z])(HRA|HRB|GNR|GSR|PR|VR)(?:[\s.:#-]|N(?:UMME)?R)*(\d{1,6})(?!\d)(?:\s?([A-Z]{1,2})(?![A-Z]))?"
)
_COURT_WORDS: Final = words_of("court_words")
#: The letter that the court of Berlin puts behind its numbers.
_OF_BERLIN: Final = "B"
_AUSTRIAN: Final = re.compile(r"(?<![A-Z])(?:FN[\s.:-]*)?(\d{1,6})\s?([A-Z])(?![A-Z])")
_OF_LUXEMBOURG: Final = re.compile(r"(?<![A-Z])([A-L])\s?(\d{3,6})\Z")
_IN_A_REGISTER: Final = re.compile(r"R\.?\s?C\.?\s?S|R\.?\s?P\.?\s?[MR]|SIREN|SIRET|KBO|BCE")

#: What a number says behind that of the company: a tax, an account, a site. Where two tell the same company, one goes.
_BEHIND: Final = {
    "CH": re.compile(r"(CHE\d{9})(?:MWST|TVA|IVA|TPV)"),
    "NO": re.compile(r"(?:NO)?(\d{9})MVA"),
    "CA": re.compile(r"(?:BN)?(\d{9})(?:R[CTPRZM]\d{4})?"),
    "GB": re.compile(r"((?:GB)?\d{9})\d{3}"),
    "HU": re.compile(r"(\d{8})[1-5]\d{2}"),
    "RU": re.compile(r"(\d{10})\d{9}"),
    "JP": re.compile(r"T(\d{13})"),
}


class RegisterNumber(NamedTuple):
    """A number of a register, and the court that keeps it where that is said: the number is unique there only."""

    number: str
    court: str


def bare_number(text: str, country: str | None) -> str:
    """The letters and digits of a number without the labels in front of it.

    `USt-IdNr. DE 136 695 976` -> `DE136695976`. A label stays where no digit would be left.
    """
    rest = _upper(text)
    label = _LABEL_IN_MEXICO if country == "MX" else _LABEL
    while (found := label.match(rest)) is not None and any(map(str.isdigit, rest[found.end() :])):
        rest, label = rest[found.end() :], _FURTHER
    return re.sub(r"[^A-Z0-9]", "", rest)


def of_the_company(number: str, country: str | None) -> str:
    """The number without what stands behind it for one of the company's taxes or sites."""
    pattern = _BEHIND.get(country or "")
    found = pattern.fullmatch(number) if pattern is not None else None
    return found[1] if found is not None else number


def german_register(text: str) -> RegisterNumber | None:
    """`AG München HRB 184561` -> HRB184561 at munich. None: no such number, or more digits than it has."""
    written = _upper(text)
    found = _GERMAN.search(written)
    if found is None:
        return None
    kind, digits, letters = found[1], found[2].lstrip("0") or "0", found[3] or ""
    around = f"{text[: found.start()]} {text[found.end() :]}" if len(text) == len(written) else ""
    if any(map(str.isdigit, around)):
        return None
    words = [word for word in fold(around).split() if word not in _COURT_WORDS]
    court = (city_form(" ".join(words)) or "") if words else ""
    if court.startswith("berlin") or "charlottenburg" in court:
        court, letters = "berlin", letters.removeprefix(_OF_BERLIN)
    return RegisterNumber(f"{kind}{digits}{letters}", court.replace(" ", ""))


def in_register(text: str, country: str | None) -> str | None:
    """The number as its register gives it, where a court, town or register may be written around it; else None."""
    written = _upper(text)
    if country == "AT" and (found := _AUSTRIAN.search(written)) is not None:
        return f"FN{found[1].lstrip('0')}{found[2]}"
    if country == "LU" and (found := _OF_LUXEMBOURG.search(written.strip())) is not None:
        return f"{found[1]}{found[2]}"
    if country in ("FR", "BE") and _IN_A_REGISTER.search(written):
        return re.sub(r"\D", "", written) or None
    return None


def _upper(text: str) -> str:
    """In capitals without accents, initials in one word: `P. IVA` stays, `N.I.F.` is NIF, `Nº` is NO."""
    plain = "".join(
        letter for letter in unicodedata.normalize("NFKD", text.upper()) if not unicodedata.combining(letter)
    )
    return _DOTTED.sub(lambda found: re.sub(r"[.\s]", "", found[0]) + ". ", plain)
