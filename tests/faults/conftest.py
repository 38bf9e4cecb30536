from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.faults.runs import run as run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make soak` runs every fault test, the fast ones too."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("faults")
