"""What an exception that nobody planned for makes of a photo."""

from __future__ import annotations

import logging

from nightshift.words.analysis import PhotoError, Stage
from nightshift.words.error_codes import Code

log = logging.getLogger(__name__)

# Each library's words. None of them is imported: whoever raised has.
_SAID = ("can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")


def is_out_of_memory(error: Exception) -> bool:
    """True for Python's, CUDA's and the CPU allocator's ways of saying that memory is short."""
    if isinstance(error, MemoryError):
        return True
    # torch.OutOfMemoryError and torch.AcceleratorError are RuntimeErrors.
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _SAID)


def photo_error(stage: Stage, error: Exception, *, isolated: bool = False, **ids: str) -> PhotoError:
    """What a photo's row says of it: `out_of_memory` (retryable) or `internal`.

    Args:
        stage: where it was raised.
        error: whatever it is.
        isolated: whether these pixels raise it alone, too. The row then says what it is, and that it would be
            so again; else the log says it, and another time it may go well.
        ids: of the photo, or of the job and lease, for the log.
    """
    what, to_do = ("decoding", "to decode it") if stage == "decode" else ("the analysis", "to analyse it")
    if is_out_of_memory(error):
        need = "for this photo alone" if isolated else to_do
        return PhotoError.of(Code.OUT_OF_MEMORY, stage, f"not enough memory {need}")
    if isolated:
        reason = (str(error).splitlines() or [""])[0][:200]
        message = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
        return PhotoError.of(Code.INTERNAL, stage, message, retryable=False)
    log.error(f"{what} broke", exc_info=error, extra=ids)
    return PhotoError.of(Code.INTERNAL, stage, f"{what} broke; the worker's log says where")
