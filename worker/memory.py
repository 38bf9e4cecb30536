"""What a worker process gives back to the system of what it has had: glibc keeps it otherwise.

Photos are of all sizes, and one process decodes and looks at a thousand of them. Blocks of all sizes then lie
in as many heaps as there were threads, and what is free among them stays this process's.
"""

from __future__ import annotations

import ctypes
from functools import cache

_ARENA_MAX = -8
"""`M_ARENA_MAX` of glibc's `malloc.h`."""


def keep_one_heap() -> None:
    """Have all threads of this process share one heap. To be called before there are any.

    What they compute takes long beside what they allocate: they do not wait for each other. Nothing where the
    C library is not glibc.
    """
    if (library := _glibc()) is not None:
        library.mallopt(_ARENA_MAX, 1)


def give_back() -> None:
    """Give the system what is free, some milliseconds. Nothing where the C library is not glibc."""
    if (library := _glibc()) is not None:
        library.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    # musl has neither, macOS has others.
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None
