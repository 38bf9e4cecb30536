"""The process that sends one message: `worker.messages` starts it, and it ends with what became of it.

Before anything is sent, hooks are set that no library gets round from Python: what would connect to an
address that is not allowed, start a program or touch a file that is no part of Python ends the process. So
does, by the kernel's limits, what takes too long, and an answer that is larger than any that is one.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from nightshift.words.errors import NightshiftError
from shared.addresses import Network, may_be_spoken_to, networks_in
from shared.messages import understood
from shared.settings import REPOSITORY
from worker.pipeline.decoding.apart_child import limit_memory, limit_time

MEMORY_BYTES = 100_000_000
"""That an attempt may take beside what is there already: Apprise reads an answer whole, however long."""
CPU_S = 20.0
WALL_S = 60.0
"""Longer than `worker.messages` waits: for when nobody does any more."""

WHY_CHARACTERS = 300
_WHY = "Socket Exception: "
_SPEAKS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_NEVER = frozenset(
    {
        *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty"),
        *(
            "os.remove",
            "os.rename",
            "os.rmdir",
            "os.mkdir",
            "os.link",
            "os.symlink",
            "os.truncate",
            "os.chmod",
        ),
        *("shutil.rmtree", "shutil.move", "shutil.copyfile", "socket.bind", "pty.spawn"),
    }
)
_SYSTEM_FILES = ("/etc/mime.types", "/etc/localtime", "/usr/share/zoneinfo", "/dev/null")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def main() -> None:
    """Read what is to be sent as JSON, send it, print `{"problem": null}` or why it was not sent."""
    told = json.load(sys.stdin)
    try:
        service = understood(told["url"])
    except NightshiftError as error:
        _end(error.message)
    said = _Said()
    limit_time(CPU_S, WALL_S)
    limit_memory(MEMORY_BYTES)
    _keep_in(networks_in(told["allowed"]))
    try:
        # Escaped for Markdown, the link to the page would lead nowhere.
        kind = None if service.resolve_format("text") == "markdown" else "text"
        taken = service.notify(title=told["title"], body=told["text"], body_format=kind)
    except Exception as error:
        _end(f"not sent: {type(error).__name__}")
    _end(None if taken else said.told or "it was not taken")


class _Said(logging.Handler):
    """The last that Apprise had to say.

    Of a password that is wrong, as of a host that is away, it says "Connection error", and to who debugs
    what it was.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._last = self._why = ""
        logger = logging.getLogger("apprise")
        logger.handlers, logger.propagate = [self], False
        logger.setLevel(logging.DEBUG)

    @property
    def told(self) -> str:
        """In one line; empty where nothing was said."""
        return f"{self._last} ({self._why[:WHY_CHARACTERS]})" if self._why else self._last

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        said = record.getMessage()
        if record.levelno >= logging.WARNING:
            self._last, self._why = said, ""
        elif said.startswith(_WHY):
            self._why = said.removeprefix(_WHY)


def _end(problem: str | None) -> NoReturn:
    """With what became of it; at once, since a library might catch whatever is raised, and go on."""
    os.write(1, json.dumps({"problem": problem}).encode())
    os._exit(0)


def _keep_in(allowed: Sequence[Network]) -> None:
    """Hold everything that is done from here on against what is allowed."""
    look_up = socket.getaddrinfo
    found: dict[Any, Any] = {}
    ours = {os.path.realpath(place) for place in (REPOSITORY, "")}
    places = {os.path.realpath(place) for place in (sys.prefix, sys.base_prefix, *sys.path)} - ours
    may_be_read = (*(f"{place}/" for place in places), *_SYSTEM_FILES)

    def check(address: str, name: str) -> None:
        if not may_be_spoken_to(address, allowed):
            _end(f"{name} is {address}, which messages may not be sent to")

    def looked_up(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        # Once a name, and all it has: as for webhooks.
        key = (host, port, more, tuple(sorted(named.items())))
        if key not in found:
            found[key] = look_up(host, port, *more, **named)
        for each in found[key]:
            check(str(each[4][0]), "its host")
        return found[key]

    def hook(event: str, details: tuple[Any, ...]) -> None:
        if event in _SPEAKS:
            address = details[1]
            if not isinstance(address, tuple):
                _end("it speaks to this machine itself, which messages may not")
            check(str(address[0]), "it")
        elif event in _NEVER:
            _end(f"it would do what messages may not: {event}")
        elif event == "open" and not isinstance(details[0], int):
            path = os.path.realpath(os.fsdecode(details[0]))
            if (details[2] or 0) & _WRITES or not path.startswith(may_be_read):
                _end("it would touch a file of this machine, which messages may not")

    socket.getaddrinfo = looked_up
    sys.addaudithook(hook)


if __name__ == "__main__":
    main()
