"""Whether a number is one of its scheme: length, characters and check digits, for every scheme that python-stdnum has.

A scheme is named as there: `lei`, `iban`, `de.vat`, `fr.siren`. Validity is that of the form; whether the number was
ever given to anybody, only its issuer knows.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, cast

from stdnum import get_cc_module
from stdnum.exceptions import InvalidChecksum, InvalidComponent, ValidationError

from mdm.errors import OperatorError

_NAME = re.compile(r"[a-z0-9_]{2,24}(?:\.[a-z0-9_]{1,32})?")

#: Schemes of numbers that the hub keeps without the mark of a tax behind them (MWST, MVA).
_WITHOUT_TAX = {"CH": "uid", "NO": "orgnr"}


@dataclass(frozen=True, slots=True)
class Judged:
    """The form of a number. `compact` is a valid number without separators; `fault` names what is wrong."""

    valid: bool
    compact: str | None
    fault: str | None


def judge(scheme: str, number: str) -> Judged:
    """The form of a number under a scheme.

    Raises:
        OperatorError: there is no such scheme.
    """
    module = _scheme(scheme)
    try:
        compact = cast("Any", module).validate(number)
    except ValidationError as fault:
        return Judged(False, None, type(fault).__name__)
    return Judged(True, str(compact), None)


def is_malformed(country: str | None, normal: str) -> bool:
    """True when a tax number that is known to be invalid is so by length or characters, not by its check digits."""
    module = get_cc_module(country, _WITHOUT_TAX.get(country, "vat")) if country else None
    if module is None:
        return False
    try:
        cast("Any", module).validate(normal)
    except (InvalidChecksum, InvalidComponent):
        return False
    except ValidationError:
        return True
    return False


@cache
def _scheme(name: str) -> ModuleType:
    try:
        if not _NAME.fullmatch(name):
            raise ImportError(name)
        module = import_module(f"stdnum.{name}")
        if not hasattr(module, "validate"):
            raise ImportError(name)
    except ImportError as fault:
        raise OperatorError(
            f"There is no identifier scheme {name!r}.",
            action="Name a scheme as python-stdnum does: lei, iban, de.vat, fr.siren, gb.vat, us.ein, ...",
        ) from fault
    return module
