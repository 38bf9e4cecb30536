"""Loops over pixels, compiled at their first call and kept for the next process where that can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Loop = TypeVar("Loop", bound=Callable[..., Any])


def kernel(loop: Loop) -> Loop:
    """Compile a function of arrays and numbers; it runs without Python's lock."""
    try:
        return numba.njit(nogil=True, cache=True)(loop)  # type: ignore[no-any-return]
    except RuntimeError:
        # No folder that can be written to: neither the package's own nor the user's cache.
        return numba.njit(nogil=True)(loop)  # type: ignore[no-any-return]
