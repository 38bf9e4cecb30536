from __future__ import annotations

from tests.faults.runs import run as run
