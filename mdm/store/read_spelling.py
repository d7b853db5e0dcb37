"""What somebody meant who mistyped a word of a search: the terms nearest to it among those that records are found by.

The matcher's keys find a name that has most of its words right; a single word has no other word to be found by.
"""

from collections.abc import Sequence
from itertools import product

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import Connection, func, or_, select

from mdm.model.ids import Domain
from mdm.store.read_list import MAX_WORDS, begins_with
from mdm.store.tables import search_term
from survivorship.writing import search_words

#: A shorter word is a letter away from too many others to say which was meant.
_SHORTEST = 4
#: From so many letters on two mistakes are taken for such.
_LONG = 8
#: Terms that are as near as the nearest, of one word; and readings of the whole query.
_TERMS = 4
_READINGS = 6


def respelt(connection: Connection, domain: Domain, query: str) -> Sequence[str]:
    """The query with its mistyped words as they are written in some record, the likeliest reading first.

    Empty when a word that no record has is like none that there is. By numbers nobody is found approximately.
    """
    readings = []
    for word in list(dict.fromkeys(search_words(query)))[:MAX_WORDS]:
        meant = [word] if _is_there(connection, domain, word) else _nearest(connection, domain, word)
        if not meant:
            return []
        readings.append(meant)
    found = [" ".join(words) for words in product(*readings)][:_READINGS]
    return [each for each in found if each != " ".join(search_words(query))]


def _is_there(connection: Connection, domain: Domain, word: str) -> bool:
    return connection.scalar(select(1).where(begins_with(domain, word)).limit(1)) is not None


def _nearest(connection: Connection, domain: Domain, word: str) -> Sequence[str]:
    if len(word) < _SHORTEST or not word.isalpha():
        return []
    allowed = 2 if len(word) >= _LONG else 1
    # Hardly anybody mistypes the first letter, other than by exchanging it with the second.
    first = or_(*(begins_with(domain, letter) for letter in dict.fromkeys(word[:2])))
    length = func.length(search_term.c.term)
    # One text, not twenty thousand rows: terms have letters and digits only, and making rows took longer than the rest.
    of_length = length.between(len(word) - allowed, len(word) + allowed)
    known = select(search_term.c.term).where(first, of_length).distinct().subquery()
    terms = connection.scalar(select(func.string_agg(known.c.term, " "))) or ""
    near = process.extract(word, sorted(terms.split()), scorer=OSA.distance, score_cutoff=allowed, limit=_TERMS)
    return [term for term, distance, _ in near if distance == near[0][1]]
