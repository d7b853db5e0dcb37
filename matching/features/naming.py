"""Words of company names that tell companies of one house apart: numbers, letters of a series, and what it is for."""

from collections.abc import Sequence

from matching.features.values import distinct

# Single letters are initials, except at the end of a name (`Fund V`); beyond 39 numerals look like words.
_ONES = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
_NUMERALS = {f"{'x' * tens}{ones}": str(10 * tens + one) for tens in range(4) for one, ones in enumerate(_ONES)}
_ROMAN = {numeral: number for numeral, number in _NUMERALS.items() if len(numeral) > 1}

# Numbers written out, from one to ten, as series of companies are named by them.
_COUNTED = (
    "one two three four five six seven eight nine ten",
    "first second third fourth fifth sixth seventh eighth ninth tenth",
    "eins zwei drei vier funf sechs sieben acht neun zehn",
    "erste zweite dritte vierte funfte sechste siebte achte neunte zehnte",
    "un deux trois quatre cinq six sept huit neuf dix",
    "uno dos tres cuatro cinco seis siete ocho nueve diez",
    "uno due tre quattro cinque sei sette otto nove dieci",
)
_WRITTEN = {word: str(number) for words in _COUNTED for number, word in enumerate(words.split(), start=1)}

# What the letter of a series follows, where it does not end the name.
_BEFORE_A_LETTER = "series serie class classe klasse tranche fund fonds compartment phase section lot los teil part"
_SERIES = frozenset(_BEFORE_A_LETTER.split())

_PURPOSES = """
    holding holdings beteiligung beteiligungs beteiligungen beteiligungsgesellschaft besitz besitzgesellschaft
    verwaltung verwaltungs verwaltungsgesellschaft vermogensverwaltung immobilien grundbesitz grundstucks
    grundstucksgesellschaft realty property properties estate vastgoed beheer deelnemingen participation
    participations participaties partecipazioni participaciones immobiliere immobiliare inmobiliaria fonciere
    patrimoine nieruchomosci ejendomme fastigheter eiendom kiinteisto leasing treasury stiftung foundation stichting
    pension pensions pensionskasse fund funds fonds fondo trust ventures
"""
#: What a company is for that is not the house itself: who holds, owns, lets, finances or endows.
STRUCTURE = frozenset(_PURPOSES.split())


def numbers_in(words: Sequence[str]) -> tuple[str, ...]:
    """The numbers that words of a name are (`Fund III` is 3), and letters of series (`Fund B`, `Series B Notes`)."""
    found = [number for word in words if (number := _number(word))]
    last = len(words) - 1
    for place, word in enumerate(words[1:], start=1):
        if len(word) == 1 and word.isalpha() and (place == last or words[place - 1] in _SERIES):
            found.append(_NUMERALS.get(word, word))
    return distinct(found)


def _number(word: str) -> str | None:
    return (word.lstrip("0") or "0") if word.isdigit() else _ROMAN.get(word) or _WRITTEN.get(word)
