"""A worker of a service over a database of each kind; only the broker and the pipeline are stand-ins."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.service import Service, make_service
from tests.support.worker_parts import parts as parts


@pytest.fixture
def service(database_url: str, tmp_path: Path) -> Service:
    return make_service(tmp_path, database_url=database_url)
