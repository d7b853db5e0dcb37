"""What is left of a record's comparison form where an identifier of it tells no more who it is.

A number that its source gave to another company later counts for nothing, neither for a pair nor against it. Of a row
whose own key was given to another company, what others state of that key and what the row said before do not count.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from matching.features.values import texts

#: Where a comparison form names what is demoted: `type:country:number`, and the name of the row itself.
DEMOTED = "demoted"
_NUMBERS = ("identifiers", "weak_identifiers")
#: What is said about a key, or was said under it.
_BY_KEY = frozenset({"tokens", "former_names", "former_sites", "self"})


def without_demoted(comparison: Mapping[str, Any], numbers_of: Callable[[str], Collection[str]]) -> Mapping[str, Any]:
    """The form without what is demoted.

    Args:
        numbers_of: the numbers that an identifier contains: of a VAT number also that of the register.
    """
    demoted = texts(comparison, DEMOTED)
    if not demoted:
        return comparison
    own = not set(demoted).isdisjoint(texts(comparison, "self"))
    gone = {number for each in demoted for number in numbers_of(each)}
    found = {name: value for name, value in comparison.items() if name != DEMOTED and not (own and name in _BY_KEY)}
    for name in _NUMBERS:
        if name in found:
            found[name] = [each for each in texts(comparison, name) if gone.isdisjoint(numbers_of(each))]
    return found
