"""What gunicorn calls: `--config python:api.gunicorn_hooks`."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

from api.context import EXTENSION


def post_worker_init(worker: Any) -> None:
    """Let waiting requests answer on SIGTERM, before gunicorn waits for them and then cuts them off."""
    room = worker.wsgi.extensions[EXTENSION].waiting_room
    gunicorns: Any = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        room.close()
        gunicorns(number, frame)

    signal.signal(signal.SIGTERM, stop)
