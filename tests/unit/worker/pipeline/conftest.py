"""Tests share their machine: one thread each, which is also faster on networks this small."""

from __future__ import annotations

import pytest

from worker.pipeline.runtime import use_threads


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    use_threads(1)
