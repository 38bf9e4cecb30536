"""Links that sign one in to the page, once: a digest of each lies in the home until it is used.

Who makes one can write to the home, and so is root anyway; who uses one has read what was printed.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from contextlib import suppress
from pathlib import Path

FOLDER = "sign_in_links"
GOOD_FOR_S = 3600.0


def make_link(home: Path) -> str:
    """The secret of a new link; those of earlier starts are good for nothing any more.

    Raises:
        OSError: the home cannot be written to.
    """
    folder = home / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    for earlier in folder.iterdir():
        earlier.unlink(missing_ok=True)
    secret = secrets.token_urlsafe(32)
    (folder / _name(secret)).touch(mode=0o600)
    return secret


def use_link(home: Path, secret: str) -> bool:
    """Whether this is the secret of a link that was not used before; now it is, whichever process asks."""
    path = home / FOLDER / _name(secret)
    with suppress(OSError):
        age_s = time.time() - path.stat().st_mtime
        # Only one of those who come at the same time removes it.
        path.unlink()
        return age_s < GOOD_FOR_S
    return False


def _name(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
