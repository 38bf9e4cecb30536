"""torchvision without torch's compiler, which nobody here uses: a third of a worker's start."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

_UTILS = "torch._dynamo.utils"


def load_torchvision() -> None:
    """Load torchvision, which asks the compiler one thing, about a layer that no network here has.

    The answer is left for when that layer is run. Nothing is different once this has returned but that the
    compiler is not loaded yet; where torchvision or the compiler are loaded already, nothing is done.
    """
    if _UTILS in sys.modules or "torchvision" in sys.modules:
        return
    asked_later = ModuleType(_UTILS)
    asked_later.is_compile_supported = _is_compile_supported  # type: ignore[attr-defined]
    sys.modules[_UTILS] = asked_later
    try:
        importlib.import_module("torchvision")
    finally:
        del sys.modules[_UTILS]


def _is_compile_supported(device_type: str) -> bool:
    return bool(importlib.import_module(_UTILS).is_compile_supported(device_type))
