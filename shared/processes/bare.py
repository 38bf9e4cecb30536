"""What a process is given that decodes strangers' files: paths and the locale, no key and no password."""

from __future__ import annotations

import os

_PASSED_ON = (
    *("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "TMPDIR"),
    # Where loops are kept that were compiled: without it, each process would compile them anew.
    "NUMBA_CACHE_DIR",
)
"""Of the environment; the rest has keys and passwords."""

_ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "MALLOC_ARENA_MAX": "1",
}


def bare_environment() -> dict[str, str]:
    """Its environment."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | _ONE_THREAD
