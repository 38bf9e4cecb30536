"""What the processor can do."""

from __future__ import annotations

from functools import cache

from llvmlite.binding import get_host_cpu_features


@cache
def features() -> frozenset[str]:
    """LLVM's names of what it has, such as `avx2`, `avx512bf16` and `amx-bf16`; on ARM `bf16`."""
    try:
        return frozenset(name for name, there in get_host_cpu_features().items() if there)
    except RuntimeError:
        # LLVM knows no more of this processor than that it runs.
        return frozenset()
