"""Why two records were compared at all, in words: the rule under which they met, and the value that both have.

The hub keeps `rule = value`, as short as an index wants it; who works on the rules finds that beside the words.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mdm.access import Eyes, may_see
from mdm.hub.shared_keys import SharedKey
from mdm.model.canonical import DataClass

#: What both records have in common under a rule of the shipped models. A rule that is not here is shown by its name.
_RULES = {
    "identifier": "the same identifier",
    "identifier+word": "the same identifier and the beginning of a word",
    "evidence": "the same thing is stated about both",
    "stated about both": "the same thing is stated about both",
    "claim": "one names the other as itself",
    "email": "the same e-mail address",
    "phone": "the same telephone number",
    "phone+word": "the same telephone number and the beginning of a word",
    "domain": "the same web domain",
    "domain+word": "the same web domain and the beginning of a word",
    "address": "the same postcode and house number",
    "address+word": "the same postcode, house number and beginning of a word",
    "street": "the same street, house number and city",
    "handle": "the same name or web brand, written as one word",
    "words": "the same words in the name",
    "words+city": "the same words in the name, and the same city",
    "two words": "two words of the name",
    "two words+variant": "two words of the name, and the same variant",
    "word+country": "a word of the name, and the country",
    "word+postcode": "the beginning of a word of the name, and the postcode",
    # Of profiles before: they are in links that were made by them.
    "word+city": "the beginning of a word of the name, and the city",
    "edge": "the first or last letters of the name",
    "word+variant": "the beginning of a word of the name, and the variant",
    "initials+country": "the initials of the name, and the country",
    "edge+country": "the first or last letters of the name, and the country",
    "number": "the same contract number",
    "deal": "the same deal",
    "same customer, customer": "the same customer",
    "same customer, customer+date": "the same customer, and a date in the same month",
    "same customer, customer+product": "the same customer and product",
    "code": "the same product code",
    "gtin": "the same trade item number (GTIN)",
}


class Meeting(NamedTuple):
    """One reason for comparing. `value` is what both have, empty where it may not be shown; `key` is how the hub keeps
    it."""

    words: str
    value: str
    key: str


def met_by(keys: Iterable[SharedKey], eyes: Eyes) -> Sequence[Meeting]:
    """Blocking keys in words. Values are told to those who may see identifiers, as by the API."""
    shown = may_see(eyes, DataClass.CONFIDENTIAL)
    found = []
    for each in keys:
        rule, value = each.rule, each.value if shown else ""
        large = f" - {each.carriers} records have it, more than the {each.most} that are compared by it"
        words = _RULES.get(rule, rule) + ("" if each.usable else large)
        found.append(Meeting(words, _written(rule, value), f"{rule} = {value}" if value else rule))
    return list(dict.fromkeys(found))


def _written(rule: str, value: str) -> str:
    """The value as people write it: `s:hauptstr|12|berlin` is hauptstr 12, berlin."""
    if rule in ("address", "address+word", "street"):
        kind, _, place = value.partition(":")
        first, *others = place.split("|")
        if kind == "s" and others:
            first, others = f"{first} {others[0]}", others[1:]
        return ", ".join((first, *others))
    return ", ".join(part.replace("+", " and ") if rule.startswith("two words") else part for part in value.split("|"))
