"""Loops over pixels, compiled at their first call and kept for the next process where that can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

Loop = Callable[..., None]


def kernel(*, reordering_sums: bool = False) -> Callable[[Loop], Loop]:
    """Compile a function of arrays and numbers; it runs without Python's lock.

    Args:
        reordering_sums: lets the compiler add up floats in another order than written, as it must to use
            vectors.
    """

    def compile_(loop: Loop) -> Loop:
        how: dict[str, Any] = {"nogil": True, "fastmath": reordering_sums}
        compiled: Any
        try:
            compiled = numba.njit(cache=True, **how)(loop)
        except RuntimeError:
            # No folder that can be written to: neither the package's own nor the user's cache.
            compiled = numba.njit(**how)(loop)
        return compiled  # type: ignore[no-any-return]

    return compile_
