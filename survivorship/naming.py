"""What an entity is called in lists, and under which terms it is found."""

from collections.abc import Iterator, Mapping, Sequence

from mdm.model.ids import CrosswalkKey
from mdm.model.records import StoredRecord
from survivorship.rules import RuleSet
from survivorship.values import Value
from survivorship.writing import search_words

#: Terms per entity. Only an entity of very many differently written members reaches it.
MAX_TERMS = 200
#: A whole value longer than this is not what anybody types into a search.
_LONGEST_TERM = 64


def display_name(ruleset: RuleSet, values: Mapping[str, Value], member: CrosswalkKey) -> str:
    """The first of the rule set's display attributes that has a value, else the key of this member."""
    for name in ruleset.display:
        for text in _texts(values.get(name)):
            return text
    return member.key


def search_terms(ruleset: RuleSet, values: Mapping[str, Value], members: Sequence[StoredRecord]) -> tuple[str, ...]:
    """The words of the golden and of all members' names, and whole identifiers without punctuation; sorted.

    The members' own spellings count too: who looks for a name as one platform writes it finds the entity.
    """
    terms: set[str] = set()
    for name in ruleset.search_words:
        for text in _texts(values.get(name)):
            terms.update(search_words(text))
        for member in members:
            for text in _texts(member.attributes.get(name)):
                terms.update(search_words(text))
    for name in ruleset.search_whole:
        for text in _texts(values.get(name)):
            terms.add("".join(search_words(text)))
    return tuple(sorted(term for term in terms if 0 < len(term) <= _LONGEST_TERM)[:MAX_TERMS])


def _texts(value: Value) -> Iterator[str]:
    """The texts of a value: itself, its elements, or the forms of an identifier, phone number or e-mail address."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for form in ("value", "normal", "e164"):
            if isinstance(value.get(form), str):
                yield value[form]
    elif isinstance(value, list | tuple):
        for element in value:
            yield from _texts(element)
