"""Functions as machine code: compiled by Numba when first used, and kept beside their file or in the user's cache."""

import os
import warnings
from contextlib import suppress
from typing import Any

from numba import njit
from numba.core import caching

# None of these has types.
_FunctionCache: Any = caching.FunctionCache
_Places: Any = caching.CompileResultCacheImpl
_UserWide: Any = caching.UserWideCacheLocator


class _Found(_UserWide):  # type: ignore[misc]
    """The user's cache where it was filled before and cannot be written to now, as in a container that is read-only."""

    def ensure_cache_path(self) -> None:
        os.listdir(self.get_cache_path())


class _PlacesToRead(_Places):  # type: ignore[misc]
    _locator_classes = (*_Places._locator_classes, _Found)


class _Kept(_FunctionCache):  # type: ignore[misc]
    """Compiled code on a disk, which may be full, or hold what a crash left half written: neither stops scoring."""

    _impl_class = _PlacesToRead

    def __init__(self, function: Any, options: dict[str, Any]) -> None:
        super().__init__(function)
        self._options = repr(sorted(options.items()))

    def _index_key(self, *of: Any) -> tuple[Any, ...]:
        return (*super()._index_key(*of), self._options)

    def load_overload(self, *of: Any) -> Any:
        try:
            return super().load_overload(*of)
        except Exception as error:
            self._tell("cannot be read", error)
            self._forget()
            return None

    def save_overload(self, *of: Any) -> None:
        try:
            super().save_overload(*of)
        except OSError as error:
            self._tell("cannot be kept", error)

    def _forget(self) -> None:
        try:
            self.flush()
        except OSError as error:
            self._tell("cannot be kept", error)

    def _tell(self, what: str, error: Exception) -> None:
        warnings.warn(f"Compiled code {what} in {self.cache_path}: {error!r}", RuntimeWarning, stacklevel=2)


def compiled(function: Any, **more: Any) -> Any:
    """A function as machine code. It is compiled again in each process where it can be kept nowhere."""
    options = {"nogil": True, "error_model": "numpy", **more}
    made = njit(**options)(function)
    with suppress(RuntimeError):  # there is nowhere to keep it
        made._cache = _Kept(function, options)
    return made


def bare(function: Any) -> Any:
    """For functions that make no arrays: without counting references to them, which took half of the time."""
    return compiled(function, _nrt=False)
