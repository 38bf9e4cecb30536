"""The root key of a home: made where none is set, found by whoever may read the home.

Needs nothing but the standard library: the command reads it, too.
"""

from __future__ import annotations

import logging
import os
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path

from nightshift.machine.privacy import is_somebody_elses, who_else_writes
from nightshift.machine.whole_files import create_whole
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput

FILE = "api_key"
LEAST_CHARACTERS = 32
"""A key that people think of is guessed; 32 characters of `openssl rand -hex 16` have 128 bits."""

_MOST_BYTES = 4096
_WRITTEN_WITHIN_S = 5.0

log = logging.getLogger(__name__)


def key_file(home: Path) -> Path:
    """Where the key of a home is."""
    return home / FILE


def check_root_key(key: str) -> str:
    """The key, if it is one.

    Raises:
        ValueError: it is too short, or holds what no header can carry whole.
    """
    if len(key) < LEAST_CHARACTERS:
        raise ValueError(
            f"a key has at least {LEAST_CHARACTERS} characters, such as of `openssl rand -hex 32`"
        )
    if any(character.isspace() or not character.isprintable() for character in key):
        raise ValueError("a key has no spaces, line ends or control characters")
    return key


def made_root_key(home: Path) -> str:
    """The key of this home, made now if there is none. Processes that start together agree on one.

    Raises:
        InvalidInput: `api_key_required`, when there is none and none can be kept; `bad_setting`, when what
            lies there is no key, or somebody else's; `bad_home`, when the home itself is.
    """
    path = key_file(home)
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_own_home(home)
        if not path.exists() and create_whole(path, secrets.token_urlsafe(32).encode() + b"\n", mode=0o600):
            log.info("made a root key", extra={"file": str(path)})
        return _read_own(path)
    except OSError as error:
        raise InvalidInput(
            Code.API_KEY_REQUIRED, f"set NIGHTSHIFT_API_KEY: no key can be kept in {path}: {error.strerror}"
        ) from error


def found_root_key(home: Path) -> str:
    """The key of this home, for a client; empty where there is none or it may not be read."""
    with suppress(OSError, ValueError):
        fd = os.open(key_file(home), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if stat.S_ISREG(os.fstat(fd).st_mode):
                return check_root_key(os.read(fd, _MOST_BYTES).decode().strip())
        finally:
            os.close(fd)
    return ""


def _require_own_home(home: Path) -> None:
    """Whoever may write there may put another key, or another database, in the place of ours."""
    if os.geteuid() and is_somebody_elses(home):
        raise InvalidInput(
            Code.BAD_HOME,
            f"{home} belongs to somebody else, who could replace the key in it: name another home, or set"
            " NIGHTSHIFT_API_KEY",
        )
    if who := who_else_writes(home):
        log.warning("%s could replace the key in %s: make that folder this user's alone", who, home)


def _read_own(path: Path) -> str:
    give_up_at = time.monotonic() + _WRITTEN_WITHIN_S
    while True:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            _require_own(fd, path)
            text = os.read(fd, _MOST_BYTES).decode("utf-8", "replace")
            with suppress(ValueError):
                check_root_key(text.strip())
                _close_to_others(fd)
        finally:
            os.close(fd)
        if text.endswith("\n") or time.monotonic() > give_up_at:
            break
        # Typed in by hand without a line's end, or being written this moment.
        if len(text) >= LEAST_CHARACTERS:
            break
        time.sleep(0.05)
    try:
        return check_root_key(text.strip())
    except ValueError as error:
        message = f"{path}: {error}; delete it, and a new one is made"
        raise InvalidInput(Code.BAD_SETTING, message) from error


def _require_own(fd: int, path: Path) -> None:
    """A key that somebody else has put there is theirs, and so is a link, whosever file it leads to."""
    found = os.fstat(fd)
    owners = {found.st_uid, os.lstat(path).st_uid}
    if not stat.S_ISREG(found.st_mode) or not owners <= {os.getuid(), 0}:
        raise InvalidInput(
            Code.BAD_SETTING, f"{path} is no file of this user's: delete it, and a new key is made"
        )


def _close_to_others(fd: int) -> None:
    """Only of what is a key: a link may lead to any other file of ours."""
    if os.fstat(fd).st_mode & 0o077:
        log.warning("others could read the root key: to change it, delete the file and start again")
        with suppress(OSError):
            os.fchmod(fd, 0o600)
