"""What gunicorn calls: `--config python:api.gunicorn_hooks`."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Any

from api.context import EXTENSION
from nightshift.machine.privacy import UMASK
from nightshift.words.errors import NightshiftError
from nightshift.words.plain_text import plain
from shared.bundles.in_use import bundle_in_use
from shared.logs import configure
from shared.settings import load_settings

umask = UMASK
"""gunicorn's setting of this name: by default it makes files that everybody may write."""

forwarded_allow_ips = ""
"""Another: by default this machine's processes may say which scheme and path were asked for. Whom to
believe is for `api.proxies`."""


def on_starting(server: Any) -> None:
    """Have gunicorn's own lines look like everybody's.

    What is wrong with settings, key or weights is said once, in the parent, instead of in every child.
    """
    if os.environ.get("GUNICORN_CMD_ARGS"):
        # Read by now, and perhaps meant for another program: whom to trust, or what to import.
        raise SystemExit("nightshift api: bad_setting: unset GUNICORN_CMD_ARGS: settings are NIGHTSHIFT_*")
    try:
        settings = load_settings()
        settings.root_key()
        bundle_in_use(settings)
    except NightshiftError as error:
        raise SystemExit(f"nightshift api: {error.code}: {plain(error.message)}") from error
    configure(settings.log_level, settings.log_format)
    for logger in (server.log.error_log, server.log.access_log):
        logger.handlers.clear()
        logger.propagate = True


def post_worker_init(worker: Any) -> None:
    """Let waiting requests answer on SIGTERM, before gunicorn waits for them and then cuts them off."""
    room = worker.application.extensions[EXTENSION].waiting_room
    gunicorns: Any = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        room.close()
        gunicorns(number, frame)

    signal.signal(signal.SIGTERM, stop)
