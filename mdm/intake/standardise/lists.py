"""Word lists and tables that ship with the standardisers, in `data/`. Lines that start with # are comments."""

from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "data"


def lines_of(name: str) -> list[str]:
    """The lines of a list."""
    lines = (_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def words_of(name: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(word for line in lines_of(name) for word in line.split())


def variants_of(name: str) -> dict[str, str]:
    """A table of `canonical: variant variant` as a map from every variant, and the canonical word, to the latter."""
    table: dict[str, str] = {}
    for line in lines_of(name):
        canonical, _, variants = line.partition(":")
        for variant in (canonical.strip(), *variants.split()):
            table.setdefault(variant, canonical.strip())
    return table
