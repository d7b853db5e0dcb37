"""Products: codes, trade item numbers and names with edition and version taken apart."""

import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

from mdm.intake.standardise.identifiers import VALID, gtin_form
from mdm.intake.standardise.junk import PLACEHOLDER, is_placeholder, why_no_name
from mdm.intake.standardise.legal_forms import form_at_end
from mdm.intake.standardise.lists import variants_of, words_of
from mdm.intake.standardise.measures import in_one_unit, pack_in, period_in, sizes_in, unit_of
from mdm.intake.standardise.result import UNKNOWN, Context, Inputs, Standardised
from mdm.intake.standardise.text import CACHE, fold, fold_code, tidy

_EDITIONS: Final = variants_of("product_editions")
_NOISE: Final = words_of("product_noise")
_BRANDS: Final = variants_of("product_brands")
_BRACKETED_CODE: Final = re.compile(r"[\[(]\s*([A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)+)\s*[\])]")
#: The sign that ends a name or a word of it: Galaxy S21+.
_PLUS: Final = re.compile(r"(?<=[A-Za-z0-9])\+(?![\w+])")
_SEPARATORS: Final = re.compile(r"[^a-z0-9]+")

#: What words of a brand say of its owner's form.
_BRAND_MARKS: Final = re.compile(r"[®™©]|\((?:r|tm|c)\)", re.IGNORECASE)
#: `Workflow by Prism`, at the end of a name.
_MADE_BY: Final = re.compile(r"\bby (\w[\w&-]*)\s*$", re.IGNORECASE)
#: A known brand has this many words at most.
_BRAND_WORDS: Final = 3


#: `v2`, `2.1`, `v2.0.3`, once the dots are letters: the version and, where it is said, the release of it.
_RELEASE: Final = re.compile(r"v(\d{1,2})|v?(\d{1,2})p(\d+(?:p\d+)*)")
#: What stands behind one of these words is what a thing is made for: a toner for a printer, training for a program.
_FOR: Final = frozenset(["for", "fur", "pour", "para", "voor", "dla", "till", "til"])


class ProductName(NamedTuple):
    """The words of a name, in order, without noise; edition, version and its release, and what it is for, apart."""

    words: tuple[str, ...]
    edition: str | None
    version: str | None
    release: str | None = None
    made_for: tuple[str, ...] = ()


@lru_cache(CACHE)
def product_name(text: str) -> ProductName:
    """`SUBSCR ACME PAYROLL PROF` -> words acme payroll, edition professional; `Oil 5L` -> words oil 5000 ml."""
    words: list[str] = []
    edition = version = release = behind = None
    plain = in_one_unit(_PLUS.sub(" plus", _BRACKETED_CODE.sub(" ", tidy(text))))
    folded = fold(re.sub(r"(?<=\d)\.(?=\d)", "p", plain))
    for word in folded.split():
        if word in _EDITIONS and words:
            edition = _EDITIONS[word]
        elif words and (found := _RELEASE.fullmatch(word)):
            version, release = f"v{found[1] or found[2]}", _release(found[3])
        elif word in _FOR:
            behind = len(words) if words and behind is None else behind
        elif word not in _NOISE:
            words.append(word)
    made_for = words[behind:] if behind is not None else ()
    return ProductName(tuple(words), edition, version, release, tuple(made_for))


def _release(parts: str | None) -> str | None:
    """`1p0` of 2.1.0 is 1, as in 2.1; `0` of 2.0 is 0."""
    return None if parts is None else re.sub(r"(?:p0+)+\Z", "", parts).replace("p", ".")


def name(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `product_name`: also finds a code in brackets behind the name."""
    rejected = None
    for given in inputs:
        tidied = tidy(given.text)
        if not tidied:
            continue
        if is_placeholder(tidied):
            rejected = why_no_name(tidied)
            continue
        found = product_name(tidied)
        comparison: dict[str, Any] = {}
        if found.words:
            comparison["name"] = " ".join(found.words)
            comparison["name_tokens"] = sorted(set(found.words))
        if found.edition:
            comparison["edition"] = found.edition
        if found.version:
            comparison["version"] = found.version
        if found.release:
            comparison["release"] = found.release
        # For ten, or for whom nothing more is said, is no other thing.
        if any(not word.isdigit() for word in found.made_for):
            comparison["made_for"] = " ".join(sorted({word for word in found.made_for if not word.isdigit()}))
        comparison |= _measured(tidied)
        comparison |= _branded(tidied)
        bracketed = _BRACKETED_CODE.search(tidied)
        if bracketed is not None:
            comparison.update(_codes([bracketed[1]]))
        return Standardised(tidied, comparison, rejected)
    return Standardised(rejected=rejected) if rejected else UNKNOWN


def _measured(text: str) -> dict[str, Any]:
    """What a name says of sizes and of the pack."""
    plain = _BRACKETED_CODE.sub(" ", text)
    sizes, pack, period = sizes_in(plain), pack_in(plain), period_in(plain)
    found: dict[str, Any] = {"sizes": list(sizes)} if sizes else {}
    return found | ({"pack": pack} if pack is not None else {}) | ({"period": period} if period is not None else {})


def _branded(text: str) -> dict[str, Any]:
    """A widely known brand at the start of a name, and what stands behind `by` at its end, which may be one."""
    words = fold(_BRAND_MARKS.sub("", text)).split()
    starts = ("".join(words[:count]) for count in range(min(_BRAND_WORDS, len(words) - 1), 0, -1))
    known = next((_BRANDS[start] for start in starts if start in _BRANDS), None)
    by = _MADE_BY.search(text)
    made_by = fold_brand(by[1]) if by is not None else None
    return ({"named_brand": known} if known else {}) | ({"made_by": made_by} if made_by else {})


@lru_cache(CACHE)
def fold_brand(text: str) -> str | None:
    """One word for a brand, without marks and legal form: `HEWLETT-PACKARD Inc.` and `HP` are hp."""
    words = tuple(fold(_BRAND_MARKS.sub("", text)).split())
    form = form_at_end(words)
    if form is not None:
        words = words[: -form[1]]
    compact = "".join(words)
    return _BRANDS.get(compact, compact) or None


def product_code(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `product_code`: the first code."""
    found = product_codes(inputs, context)
    return Standardised(found.value[0], found.comparison, found.rejected) if found.value else found


def product_codes(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `product_codes`: all codes."""
    values: list[str] = []
    rejected = None
    for given in inputs:
        tidied = tidy(given.text)
        if not tidied:
            continue
        if is_placeholder(tidied):
            rejected = PLACEHOLDER
            continue
        values.append(tidied)
    if not values:
        return Standardised(rejected=rejected) if rejected else UNKNOWN
    return Standardised(values, _codes(values), rejected)


def _codes(values: list[str]) -> dict[str, Any]:
    parts = {part for value in values for part in _SEPARATORS.split(value.lower()) if part}
    return {"codes": sorted({fold_code(value) for value in values}), "code_parts": sorted(parts)}


def gtin(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `gtin`: a list of one identifier."""
    for given in inputs:
        if not given.text.strip():
            continue
        found = gtin_form(given.text)
        if found is None:
            return Standardised(rejected=PLACEHOLDER)
        normal, state = found
        value = {"type": "gtin", "country": None, "value": tidy(given.text), "normal": normal, "state": state}
        return Standardised([value], {"gtin": normal} if state == VALID else {})
    return UNKNOWN


def version(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `version`: v and a number; the release of it is told apart."""
    for given in inputs:
        found = re.fullmatch(r"v?(\d{1,2})((?:\.\d+)*)", given.text.strip().lower())
        if found is not None:
            release = _release(found[2][1:].replace(".", "p") or None)
            return Standardised(
                tidy(given.text), {"version": f"v{found[1]}"} | ({"release": release} if release else {})
            )
    return UNKNOWN


def family(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `family`."""
    return _folded(inputs, "family")


def unit(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `unit`: translated by the mapping's codes, compared under the usual name of what is a known unit."""
    for given in inputs:
        written = tidy(given.text)
        if not written or is_placeholder(written):
            continue
        named = context.codes.get(written.lower())
        known = unit_of(named or written)
        canonical = named or (known.name if known is not None else written.lower())
        kinds = {"unit_kinds": sorted(known.kinds)} if known is not None else {}
        return Standardised(canonical, {"unit": known.name if known is not None else fold(canonical), **kinds})
    return UNKNOWN


def brand(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `brand`: brand or manufacturer; the mapping's codes may translate a platform's own."""
    for given in inputs:
        tidied = tidy(given.text)
        if not tidied or is_placeholder(tidied):
            continue
        canonical = context.codes.get(tidied.lower(), tidied)
        folded = fold_brand(canonical)
        return Standardised(canonical, {"brand": folded} if folded else {})
    return UNKNOWN


def _folded(inputs: Inputs, key: str) -> Standardised:
    for given in inputs:
        tidied = tidy(given.text)
        if tidied and not is_placeholder(tidied):
            return Standardised(tidied, {key: fold(tidied)})
    return UNKNOWN
