"""URLs of the database and the broker: made of paths, refused where they say something else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nightshift.machine.loopback import is_loopback
from nightshift.machine.places import FILE_SCHEME, file_url, is_plain, path_of_file_url

if TYPE_CHECKING:
    from sqlalchemy import URL

# SQLAlchemy is imported where it is needed, not with the module: a client alone has none.


def sqlite_url(path: Path) -> str:
    """SQLAlchemy's URL of a SQLite file; through SQLite's URI where its characters are not plain."""
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
    is_uri = database.startswith(FILE_SCHEME) and parsed.query.get("uri") == "true"
    return path_of_file_url(database) if is_uri else Path(database)


def database_url(given: str, home: Path) -> str:
    """The database's URL, SQLite's with an absolute path: processes run in folders of their own."""
    if not given:
        return sqlite_url(home / "nightshift.db")
    if not given.startswith("sqlite:"):
        return _checked_server_url(given)
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


def is_protected(url: str) -> bool:
    """Whether nobody on the way reads what goes there: https, or http that does not leave this machine."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
        )
    except ValueError:
        return False


def public_url(given: str) -> str:
    """The address others know the service by, as browsers write an origin: no slash at its end.

    Raises:
        ValueError: it is neither https nor on loopback, or has more than a scheme, a host and a port.
    """
    parts = urlsplit(given)
    plain = f"{parts.scheme}://{parts.netloc}"
    if not is_protected(given) or given.removesuffix("/") != plain or "@" in parts.netloc:
        raise ValueError("must be like https://photos.example.org, nothing behind it; http on loopback alone")
    return plain.lower()
