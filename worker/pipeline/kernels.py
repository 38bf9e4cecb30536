"""Loops over pixels and boxes that numba compiles."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numba
from numba.core.caching import FunctionCache

log = logging.getLogger(__name__)

Loop = Callable[..., Any]


def kernel(loop: Loop) -> Loop:
    """Compile a loop, at its first call and kept for the next process where that can be.

    It runs without Python's lock.
    """
    compiled: Any = inner(loop)
    # Without a folder that can be written to, neither the package's own nor the user's cache, none is kept.
    with suppress(RuntimeError):
        compiled._cache = _Kept(loop)  # type: ignore[no-untyped-call]
    return compiled  # type: ignore[no-any-return]


class _Kept(FunctionCache):
    """What is kept on the disk, and done without where that is damaged or full.

    Numba's own does not wait for the disk: after a power cut there may be a file of no bytes, over which each
    process that reads it would fall.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception as error:
            log.warning("what was kept of %s is damaged, and compiled again: %r", self._name, error)
            with suppress(OSError):
                self.flush()  # type: ignore[no-untyped-call]
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except OSError as error:
            log.warning("%s is not kept for the next process: %s", self._name, error)


def inner(loop: Loop) -> Loop:
    """A part of kernels in its module, which is compiled and kept with them."""
    return numba.njit(nogil=True, error_model="numpy")(loop)


def prepare() -> None:
    """Do what numba does before the first loop, a third of a second, for processes forked after it."""
    from numba.core.registry import cpu_target

    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()
