"""One bad item never fails its batch mates."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from worker.pipeline.unforeseen import is_out_of_memory

Item = TypeVar("Item")
Result = TypeVar("Result")


def isolated(
    call: Callable[[Sequence[Item]], Sequence[Result]], items: Sequence[Item]
) -> list[Result | Exception]:
    """Run `call` on all items; where it raises, on halves, down to single items.

    Serves two ends with one means: a batch too large for the memory is worked off in smaller ones,
    and the one item that makes the call raise is found in about log2(n) steps.

    Returns:
        For each item its result, or the exception it raises when run alone.
    """
    if not items:
        return []
    try:
        return list(call(items))
    except Exception as error:
        if is_out_of_memory(error):
            _give_back_cuda_memory()
        if len(items) == 1:
            return [error]
    # Outside the handler: the traceback would keep the failed batch's tensors alive.
    half = len(items) // 2
    return isolated(call, items[:half]) + isolated(call, items[half:])


def _give_back_cuda_memory() -> None:
    # Where torch was never loaded there is none; where it never used CUDA, this does nothing.
    if torch := sys.modules.get("torch"):
        torch.cuda.empty_cache()
