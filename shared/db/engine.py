"""One engine a process, made after any fork; short explicit transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

from sqlalchemy import CursorResult, Engine, Update, create_engine, event, func, make_url, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from nightshift.machine.room import store_full
from nightshift.words.clock import utc_now
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput, NoRoom, Transient
from shared.db import json_columns
from shared.db.actor import SERVICE, Actor
from shared.db.base import UtcDateTime
from shared.urls import path_of_sqlite_url


class Transaction(Session):
    """A session in one transaction. It has one time: what is written in it happened then."""

    _now: datetime | None = None

    @property
    def actor(self) -> Actor:
        """For whom it is."""
        actor: Actor = self.info.get("actor", SERVICE)
        return actor

    # By hand: before Python 3.12, `cached_property` lets one thread at a time wait for SQLite's lock.
    @property
    def now(self) -> datetime:
        """By the clock that all processes share, aware, UTC: PostgreSQL's, or with SQLite this machine's.

        Taken when it is first asked for; with SQLite not before its lock is, so that of two that write the
        later one has the later time.
        """
        if self._now is None:
            if self.get_bind().dialect.name == "sqlite":
                self.connection()
                self._now = utc_now()
            else:
                # It is asked for while rows are being filled in.
                with self.no_autoflush:
                    self._now = self.scalars(select(func.clock_timestamp(type_=UtcDateTime()))).one()
        return self._now

    def change(self, statement: Update) -> int:
        """Execute an UPDATE; returns of how many rows. Rows that were loaded before stay as they were."""
        result = self.execute(statement, execution_options={"synchronize_session": False})
        return cast("CursorResult[Any]", result).rowcount


class Database:
    """The database of one process.

    Every transaction is one of two kinds. `write()` takes SQLite's write lock at its beginning:
    a deferred transaction that reads, then writes fails with "database is locked" whatever the
    busy timeout. `read()` never takes it.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._readers = self._engine.execution_options(nightshift_read_only=True)
        self._actor = SERVICE

    def acting_for(self, actor: Actor) -> Database:
        """The same database, whose write transactions are for somebody."""
        theirs = copy(self)
        theirs._actor = actor
        return theirs

    @property
    def is_sqlite(self) -> bool:
        """True on SQLite."""
        return self._engine.dialect.name == "sqlite"

    @property
    def file(self) -> Path | None:
        """SQLite's file; None for a server."""
        return path_of_sqlite_url(self._engine.url)

    @property
    def folder(self) -> Path | None:
        """Where SQLite's file is; None for a server."""
        return self.file.parent if self.file else None

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A session in one write transaction; commits at the end, rolls back on any error.

        Raises:
            Transient: `database_unavailable`, when the database cannot be reached or stays locked;
                `store_full`, when its disk is.
        """
        made = Transaction(self._engine, expire_on_commit=False, info={"actor": self._actor})
        with translated(), made as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A session in one read transaction.

        Raises:
            Transient: `database_unavailable`.
        """
        with translated(), Transaction(self._readers, expire_on_commit=False) as session, session.begin():
            yield session

    @property
    def size_bytes(self) -> int:
        """Of SQLite's file; 0 on a server."""
        return self.file.stat().st_size if self.file and self.file.is_file() else 0

    @contextmanager
    def apart(self, patience_ms: int) -> Iterator[Any]:
        """A cursor of the driver's own, outside any transaction, that waits so long for others.

        Raises:
            Transient: `database_unavailable`.
        """
        with translated():
            connection = self._engine.raw_connection()
            try:
                connection.detach()
                cursor = connection.cursor()
                cursor.execute(f"PRAGMA busy_timeout={patience_ms:d}")
                yield cursor
            finally:
                connection.close()

    def close(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()


@contextmanager
def translated() -> Iterator[None]:
    """Raise what passes as `Transient`: `database_unavailable`, `schema_outdated` until somebody migrates."""
    try:
        yield
    except DBAPIError as error:
        raise _named(error) from error
    except sqlite3.Error as error:
        # Of a connection that is not SQLAlchemy's.
        raise _of_sqlite(error) or Transient(Code.DATABASE_UNAVAILABLE, f"database: {error}") from error
    except PoolTimeout as error:
        raise Transient(Code.DATABASE_UNAVAILABLE, "database: every connection is busy") from error


def _named(error: DBAPIError) -> Exception:
    """What a driver's error means to us; itself when it is a bug of ours."""
    state = getattr(error.orig, "sqlstate", None) or ""
    if state in _NO_SUCH or str(error.orig).startswith(("no such table", "no such column")):
        message = "the database lacks migrations: run python -m shared.db.migrate"
        return Transient(Code.SCHEMA_OUTDATED, message)
    if full := _of_sqlite(error.orig):
        return full
    # Bare: a file that is no database.
    bare = type(error) is DatabaseError
    if bare or isinstance(error, OperationalError) or error.connection_invalidated or state[:2] in _PASSING:
        return Transient(Code.DATABASE_UNAVAILABLE, f"database: {error.orig}")
    return error


def _of_sqlite(error: object) -> NoRoom | None:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
        return store_full("no room for the database")
    return None


_NO_SUCH = {"42P01", "42703"}
"""PostgreSQL: undefined table, undefined column."""
_PASSING = {"08", "25", "40", "53", "55", "57", "58"}
"""PostgreSQL: connection, read-only, rollback, resources, locks, intervention, disk: all of these pass."""


_SHARED: dict[str, Any] = {
    "json_serializer": json_columns.written,
    "json_deserializer": json_columns.read,
    # Errors are logged; parameters name files and people.
    "hide_parameters": True,
}


def open_engine(url: str, *, foreign_keys: bool = True) -> Engine:
    """Engine with the settings that each kind of database needs; a missing SQLite folder is made.

    Args:
        url: SQLAlchemy URL, SQLite or PostgreSQL.
        foreign_keys: off only for migrations: SQLite rebuilds a table by dropping the old one, and
            its children would be deleted with it.

    Raises:
        InvalidInput: `bad_setting`.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidInput(Code.BAD_SETTING, f"NIGHTSHIFT_DATABASE_URL: {error}") from error
    if parsed.get_backend_name() == "sqlite":
        if file := path_of_sqlite_url(parsed):
            file.parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": 30}, **_SHARED)
        event.listen(engine, "connect", partial(_configure_sqlite, foreign_keys=foreign_keys))
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if parsed.get_backend_name() == "postgresql":
        return create_engine(
            parsed,
            pool_pre_ping=True,
            **_SHARED,
            connect_args={
                "connect_timeout": 10,
                # A network that swallows everything is noticed within a minute, too.
                "tcp_user_timeout": 30_000,
                "keepalives_idle": 30,
                "options": "-c lock_timeout=30s -c statement_timeout=120s"
                " -c idle_in_transaction_session_timeout=120s",
            },
        )
    raise InvalidInput(
        Code.BAD_SETTING,
        f"NIGHTSHIFT_DATABASE_URL: {parsed.get_backend_name()} is neither sqlite nor postgresql",
    )


def _configure_sqlite(connection: Any, _record: Any, *, foreign_keys: bool) -> None:
    # None: the driver leaves BEGIN to us.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: with NORMAL a power cut may undo a commit that a client was already told of.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
    cursor.execute("PRAGMA journal_size_limit=67108864")
    # What is deleted is zeroed: erased means gone.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("nightshift_read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
