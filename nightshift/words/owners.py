"""Owners: whose jobs, photos and quotas these are."""

from __future__ import annotations

import re

LOCAL = "local"
"""Owner of what is done with the root key."""

_OWNER = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def check_owner(owner: str) -> str:
    """An owner's name, which is also a folder of the store.

    Raises:
        ValueError: it is not of 1 to 64 small letters, digits, `.`, `_` and `-`, or begins with a sign.
    """
    if not _OWNER.fullmatch(owner):
        raise ValueError("must be 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit")
    return owner
