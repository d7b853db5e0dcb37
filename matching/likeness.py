"""How alike two texts are, letter by letter. For many pairs compiled code says the same (`matching.kernels`)."""

from typing import Any

from rapidfuzz.distance import JaroWinkler

# Similarities are compared with the threshold less this margin: one unit in the last place between two
# implementations of Jaro-Winkler otherwise flips a level (.92 is such a value).
MARGIN = 1e-9


def alike(a: str, b: str) -> float:
    return float(JaroWinkler.similarity(utf8(a), utf8(b)))


def utf8(text: str) -> Any:  # Any: the library takes bytes, its types know only str
    return text if text.isascii() else text.encode()
