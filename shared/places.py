"""Folders, files and sockets as URLs and back, whatever characters are in their names."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from sqlalchemy import URL

_PLAIN = re.compile(r"[A-Za-z0-9/._~-]+")
_FILE = "file:"


def file_url(path: Path) -> str:
    """`file:///...` of an absolute path, ASCII."""
    return path.as_uri()


def path_of_file_url(url: str) -> Path:
    """The path that a `file:` URL names. People write these by hand: `#` and `?` are taken for what they are.

    Raises:
        ValueError: it names no folder or file of this machine, or holds a NUL.
    """
    rest = url.removeprefix(_FILE)
    if rest.startswith("//"):
        host, slash, rest = rest[2:].partition("/")
        rest = slash + rest
        if host not in ("", "localhost"):
            raise ValueError(f"{url!r} names another machine, {host!r}; it reads file:///folder")
    raw = unquote_to_bytes(rest.encode("utf-8", "surrogateescape"))
    if not raw.startswith(b"/") or b"\0" in raw:
        raise ValueError(f"{url!r} names no folder; it reads file:///folder")
    return Path(os.fsdecode(raw))


def path_as_text(path: Path) -> str:
    """An absolute path for JSON and databases: as it is where its bytes are UTF-8, else as a `file:` URL."""
    try:
        return os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        return file_url(path)


def path_of_text(text: str) -> Path:
    """The path that `path_as_text` wrote; for any other text `Path` of it.

    Raises:
        ValueError: a `file:` URL that names no file of this machine.
    """
    if text.startswith(_FILE):
        return path_of_file_url(text)
    return Path(os.fsdecode(text.encode("utf-8", "surrogateescape")))


def sqlite_url(path: Path) -> str:
    """SQLAlchemy's URL of a SQLite file; through SQLite's URI where its characters are not plain."""
    # Not with the module: a client alone has no SQLAlchemy.
    from sqlalchemy import URL

    if is_plain(path):
        url = URL.create("sqlite", database=str(path))
    else:
        url = URL.create("sqlite", database=file_url(path), query={"uri": "true"})
    return url.render_as_string(hide_password=False)


def path_of_sqlite_url(url: str | URL) -> Path | None:
    """The file that a URL of SQLAlchemy's names; None for a database in memory, or on a server."""
    from sqlalchemy import make_url

    parsed = make_url(url)
    database = parsed.database or ""
    if parsed.get_backend_name() != "sqlite" or database in ("", ":memory:"):
        return None
    is_uri = database.startswith(_FILE) and parsed.query.get("uri") == "true"
    return path_of_file_url(database) if is_uri else Path(database)


def is_plain(path: Path) -> bool:
    """True when nothing in the path means anything to a URL, a shell or a configuration file."""
    return _PLAIN.fullmatch(str(path)) is not None


def database_url(given: str, home: Path) -> str:
    """The database's URL, SQLite's with an absolute path: processes run in folders of their own."""
    if not given:
        return sqlite_url(home / "nightshift.db")
    if not given.startswith("sqlite:"):
        return _checked_server_url(given)
    # Not with the module: a client alone has no SQLAlchemy.
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(given)
    except ArgumentError as error:
        raise ValueError(f"database_url: {error}") from error
    path = path_of_sqlite_url(parsed)
    if path is None or path.is_absolute():
        return given
    return parsed.set(database=str(path.absolute())).render_as_string(hide_password=False)


def _checked_server_url(url: str) -> str:
    """The URL, unless it would be cut within the password, whose rest then goes to a name server.

    Raises:
        ValueError: never with the URL in it, which holds a password.
    """
    rest = url.partition("://")[2]
    if rest.partition("?")[0].count("@") > 1 or any(sign in rest for sign in "# "):
        raise ValueError(
            "database_url: percent-encode what is no letter or digit in name and password (@ is %40)"
        )
    return url


def check_broker_url(url: str) -> None:
    """Refuse what would be read as the address of some other broker, such as one on this machine.

    Raises:
        ValueError: never with the URL in it, which may hold a password.
    """
    if not url.startswith(("redis://", "rediss://")):
        return
    rest = url.partition("://")[2].partition("?")[0]
    host = rest.rpartition("@")[2].partition("/")[0]
    if not host or rest.count("@") > 1 or any(sign in url for sign in "# "):
        raise ValueError(
            "broker_url: it reads redis://:PASSWORD@HOST:PORT/NUMBER, the password percent-encoded (@ is %40)"
        )
