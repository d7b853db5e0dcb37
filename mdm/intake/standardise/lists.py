"""Word lists and tables that ship with the standardisers, in `data/words.yaml`."""

from pathlib import Path
from typing import Final

import yaml

_BLOCKS: Final[dict[str, str]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "words.yaml").read_text(encoding="utf-8")
)


def lines_of(name: str) -> list[str]:
    """The lines of a list."""
    return [line.strip() for line in _BLOCKS[name].splitlines()]


def words_of(name: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(_BLOCKS[name].split())


def words_in_order(text: str) -> tuple[str, ...]:
    """The words of a text; `_` stands for none, so that places keep their number."""
    return tuple("" if word == "_" else word for word in text.split())


def variants_of(name: str) -> dict[str, str]:
    """A table of `canonical: variant variant` as a map from every variant, and the canonical word, to the latter."""
    table: dict[str, str] = {}
    for line in lines_of(name):
        canonical, _, variants = line.partition(":")
        for variant in (canonical.strip(), *variants.split()):
            table.setdefault(variant, canonical.strip())
    return table
