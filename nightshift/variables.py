"""What the command reads of the environment: misspelt, a setting would be left out without a word."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from nightshift.client import DEFAULT_SERVER
from nightshift.exits import SERVICE_IS_HERE

PREFIX = "NIGHTSHIFT_"
OF_CLIENTS = frozenset({"NIGHTSHIFT_SERVER", "NIGHTSHIFT_API_KEY", "NIGHTSHIFT_HOME", "NIGHTSHIFT_NOTIFY"})
"""Read by commands that talk to a server."""
OF_TESTS = frozenset({"NIGHTSHIFT_FAULTS_RECORD"})
"""Read by this checkout's tests and measurements."""
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - it is asked whether these are listened on


def server_address(given: Mapping[str, str] = os.environ) -> str:
    """Where the service of this machine listens, by the settings that `serve` takes host and port of."""
    host, port = given.get("NIGHTSHIFT_HOST", ""), given.get("NIGHTSHIFT_PORT", "")
    host = "127.0.0.1" if host in _EVERYWHERE else host
    # 0 is any free one; what is no port is refused by whoever reads settings.
    port = port if port.isdecimal() and int(port) else DEFAULT_SERVER.rpartition(":")[2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def server_of_environment(given: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """Address and key, for who has no flags: a shell that completes a word."""
    return given.get("NIGHTSHIFT_SERVER") or server_address(given), given.get("NIGHTSHIFT_API_KEY", "")


def remarks_on_variables(given: Iterable[str]) -> list[str]:
    """A sentence for each variable that begins as ours do and is none, with the one that was meant."""
    unknown = sorted(name for name in given if name.startswith(PREFIX) and name not in OF_CLIENTS | OF_TESTS)
    if not unknown or not SERVICE_IS_HERE:
        # A service's settings are known where it is.
        return []
    from shared.settings import Settings

    known = OF_CLIENTS | {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = [name for name in unknown if name not in known]
    return [f"{name} is no setting and does nothing{_meant(name, known)}" for name in unknown]


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, sorted(known), n=1, cutoff=0.8)
    return f"; did you mean {close[0]}?" if close else " (docs/settings.md lists them)"
