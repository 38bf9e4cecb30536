"""How each library says that memory is short. Imports none of them: whoever raised has."""

from __future__ import annotations

_SAID = ("can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")


def is_out_of_memory(error: Exception) -> bool:
    """True for Python's, CUDA's and the CPU allocator's ways of saying that memory is short."""
    if isinstance(error, MemoryError):
        return True
    # torch.OutOfMemoryError and torch.AcceleratorError are RuntimeErrors.
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _SAID)
