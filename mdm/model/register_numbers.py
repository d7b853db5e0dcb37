"""Where the number that tax offices know a company by contains its number in the register."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: By ISO 3166-1 alpha-2 code: which characters of the tax number in normal form, its prefix included.
REGISTER_IN_TAX: Final[Mapping[str, slice]] = MappingProxyType(
    {
        "FR": slice(4, 13),  # FR, two check digits, the SIREN
        "SE": slice(2, 12),
        "CZ": slice(2, None),
        "DK": slice(2, None),
        "FI": slice(2, None),
        "BE": slice(2, None),
        "CH": slice(0, None),
        "NO": slice(0, None),
    }
)
