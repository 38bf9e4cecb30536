"""The API over a real database and store; only the broker is a stand-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.callers import Caller
from tests.support.service import ROOT_KEY, Service, make_service
from tests.support.worker_parts import parts as parts

Serve = Callable[..., Service]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Makes services under the test's folder, by default over SQLite; arguments are settings."""
    made: list[Service] = []

    def make(**overrides: object) -> Service:
        made.append(make_service(tmp_path, **overrides))
        return made[-1]

    yield make
    for service in made:
        service.database.close()


@pytest.fixture
def service(database_url: str, serve: Serve) -> Service:
    """A service over a fresh database of each kind."""
    return serve(database_url=database_url)


@pytest.fixture(scope="session")
def plain_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service over SQLite that tests share, for what no database has a part in; not to be altered."""
    service = make_service(tmp_path_factory.mktemp("plain"))
    yield service
    service.database.close()


@pytest.fixture
def locked(database_url: str, serve: Serve) -> Service:
    return serve(database_url=database_url, in_place_roots="/")


@pytest.fixture
def root(locked: Service) -> Caller:
    return Caller(locked, ROOT_KEY)
