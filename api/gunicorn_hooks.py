"""What gunicorn calls: `--config python:api.gunicorn_hooks`."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

from api.context import EXTENSION
from shared.bundles import locate_bundle, read_manifest
from shared.errors import NightshiftError
from shared.logs import configure
from shared.privacy import UMASK
from shared.settings import load_settings

umask = UMASK
"""gunicorn's setting of this name: by default it makes files that everybody may write."""


def on_starting(server: Any) -> None:
    """Have gunicorn's own lines look like everybody's.

    What is wrong with settings or weights is said once, in the parent, instead of in every child.
    """
    try:
        settings = load_settings()
        read_manifest(locate_bundle(settings.bundle, settings.weights_dir))
    except NightshiftError as error:
        raise SystemExit(f"nightshift api: {error.code}: {error.message}") from error
    configure(settings.log_level, settings.log_format)
    for logger in (server.log.error_log, server.log.access_log):
        logger.handlers.clear()
        logger.propagate = True


def post_worker_init(worker: Any) -> None:
    """Let waiting requests answer on SIGTERM, before gunicorn waits for them and then cuts them off."""
    room = worker.wsgi.extensions[EXTENSION].waiting_room
    gunicorns: Any = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        room.close()
        gunicorns(number, frame)

    signal.signal(signal.SIGTERM, stop)
