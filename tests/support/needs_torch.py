"""torch, for tests of what runs on it or is compared with it; in an environment without it, they are skipped.

`make test-light` runs in one and says so by LIGHT=1. Import it from here, and before what imports it itself.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

from tests.support.requirements import require

require(find_spec("torch"), "torch is not installed", essential=not os.environ.get("LIGHT"))

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

__all__ = ["Tensor", "nn", "torch"]
