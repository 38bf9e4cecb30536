"""Loops over pixels and boxes that numba compiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

Loop = Callable[..., Any]


def kernel(loop: Loop) -> Loop:
    """Compile a loop, at its first call and kept for the next process where that can be.

    It runs without Python's lock.
    """
    compiled: Any
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(loop)
    except RuntimeError:
        # No folder that can be written to: neither the package's own nor the user's cache.
        compiled = inner(loop)
    return compiled  # type: ignore[no-any-return]


def inner(loop: Loop) -> Loop:
    """A part of kernels in its module, which is compiled and kept with them."""
    return numba.njit(nogil=True, error_model="numpy")(loop)
