"""What the command reads of the environment: misspelt, a setting would be left out without a word."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from typing import NamedTuple

from nightshift.client import DEFAULT_SERVER
from nightshift.errors import Unreachable
from nightshift.exits import SERVICE_IS_HERE
from nightshift.machine.home import home_of_clients
from nightshift.machine.loopback import is_everywhere, url_here
from nightshift.machine.served import served_at

PREFIX = "NIGHTSHIFT_"
OF_CLIENTS = frozenset({"NIGHTSHIFT_SERVER", "NIGHTSHIFT_API_KEY", "NIGHTSHIFT_HOME", "NIGHTSHIFT_NOTIFY"})
"""Read by commands that talk to a server."""
OF_TESTS = frozenset({"NIGHTSHIFT_FAULTS_RECORD"})
"""Read by this checkout's tests and measurements."""


class Address(NamedTuple):
    """A server's base URL, and in words whose it is."""

    url: str
    source: str


def server_address(option: str = "", given: Mapping[str, str] = os.environ) -> Address:
    """Where the server is: as was said, or where the service of this home is, or where it is by default.

    Args:
        option: `--server`, which has its variable's value where it was not given.
        given: variables; host and port are those that `serve` takes, too.
    """
    variable = given.get("NIGHTSHIFT_SERVER", "")
    if option or variable:
        named = "--server" if option and option != variable else "NIGHTSHIFT_SERVER"
        return Address(option or variable, f"that of {named}")
    host, port = given.get("NIGHTSHIFT_HOST", ""), given.get("NIGHTSHIFT_PORT", "")
    said = {
        "NIGHTSHIFT_HOST": "" if is_everywhere(host) else host,
        # 0 is any free one; what is no port is refused by whoever reads settings.
        "NIGHTSHIFT_PORT": port if port.isdecimal() and int(port) else "",
    }
    if any(said.values()):
        url = url_here(host, said["NIGHTSHIFT_PORT"] or DEFAULT_SERVER.rpartition(":")[2])
        return Address(url, "that of " + " and ".join(name for name, value in said.items() if value))
    try:
        home = home_of_clients(given)
    except RuntimeError:  # nobody's home: no HOME, and no entry in passwd
        return Address(DEFAULT_SERVER, "the default")
    if url := served_at(home):
        return Address(url, f"that of the service that runs on the home {home}")
    return Address(DEFAULT_SERVER, f"the default, since no service is known to run on the home {home}")


@contextmanager
def telling_whose(address: Address) -> Iterator[None]:
    """Around what asks there: where no answer comes, it is said whose address it was."""
    try:
        yield
    except Unreachable as error:
        error.add_note(f"the address is {address.source}")
        raise


def server_of_environment(given: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """Address and key, for who has no flags: a shell that completes a word."""
    return server_address(given=given).url, given.get("NIGHTSHIFT_API_KEY", "")


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
