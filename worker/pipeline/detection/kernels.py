"""Loops over pixels, compiled at their first call and kept for the next process where that can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

Loop = Callable[..., None]


def kernel(loop: Loop) -> Loop:
    """Compile a function of arrays and numbers; it runs without Python's lock."""
    compiled: Any
    try:
        compiled = numba.njit(cache=True, nogil=True)(loop)
    except RuntimeError:
        # No folder that can be written to: neither the package's own nor the user's cache.
        compiled = numba.njit(nogil=True)(loop)
    return compiled  # type: ignore[no-any-return]
