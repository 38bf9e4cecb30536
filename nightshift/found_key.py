"""The key that a client finds by itself: that of the service on this machine, which has the same home."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx

from nightshift.machine.home import home_of_clients
from nightshift.machine.loopback import is_loopback
from nightshift.machine.root_key import found_root_key

_ROOT = 0
_LISTENS = "0A"
"""proc(5) net/tcp: a socket's state, as the kernel numbers them."""


def found_key(server: httpx.URL) -> str:
    """The home's root key for a service of this machine; empty for every other.

    On loopback whoever came first may listen, so a port that another user has is told no key either.
    """
    if not is_loopback(server.host):
        return ""
    port = server.port or (443 if server.scheme == "https" else 80)
    if any(user not in {os.getuid(), _ROOT} for user in _listeners(port)):
        return ""
    with suppress(RuntimeError):  # nobody's home: no HOME, and no entry in passwd
        return found_root_key(home_of_clients())
    return ""


def _listeners(port: int) -> Iterator[int]:
    """Users with a listening socket on a port; none where the system does not tell."""
    for name in ("tcp", "tcp6"):
        with suppress(OSError, ValueError, IndexError):
            for line in Path(f"/proc/net/{name}").read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                    yield int(fields[7])
