"""The doorbell: a message that says "there may be work", and nothing else.

It names no job and no photo. Ringing once too often costs an empty claim; a ring that is lost is
rung again by the sweeper.
"""

from __future__ import annotations

import logging
import os
from typing import Protocol

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from shared.broker.rings import QUEUE as QUEUE
from shared.broker.rings import TASK as TASK
from shared.broker.rings import use_it

MOST_RINGS = 32
"""Messages on the list at most: a message costs about 1 kB of broker memory, a slice takes many photos."""

log = logging.getLogger(__name__)

# Celery takes these before what it is told: another program's broker would be used.
for _name in [name for name in os.environ if name.startswith("CELERY_")]:
    del os.environ[_name]


class Doorbell(Protocol):
    """What rings the workers."""

    def ring(self, times: int = 1) -> bool:
        """Send `times` messages; False, and no error, when the broker is away."""

    def waiting(self) -> int | None:
        """Messages not yet taken; None when the broker is away."""


def broker_options(broker_url: str) -> dict[str, object]:
    """Celery settings that concern the connection, the same for who rings and who answers."""
    use_it()
    return {
        "broker_url": broker_url,
        "task_default_queue": QUEUE,
        "task_ignore_result": True,
        "task_publish_retry": False,
        # Nobody steers workers by messages, and they tell nobody of themselves.
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "accept_content": ["json"],
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            # A ring that is lost with its worker is rung again: nothing is kept, and nothing restored.
            "ack_emulation": False,
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "socket_keepalive": not broker_url.startswith("redis+socket"),
            "health_check_interval": 25,
            # The publisher must learn that the broker is away, not wait for it.
            "max_retries": 0,
        },
    }


class CeleryDoorbell:
    """Rings over Celery's broker."""

    def __init__(self, broker_url: str) -> None:
        self._app = Celery("nightshift-doorbell", set_as_current=False)
        self._app.conf.update(broker_options(broker_url))

    def ring(self, times: int = 1) -> bool:
        """See `Doorbell.ring`."""
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, interval_start=0, timeout=5)
                for _ in range(min(times, MOST_RINGS)):
                    self._app.send_task(TASK, connection=connection, retry=False)
        except (OperationalError, RedisError, OSError) as error:
            log.warning("broker away, the sweeper will ring", extra={"reason": str(error)})
            return False
        return True

    def waiting(self) -> int | None:
        """See `Doorbell.waiting`."""
        try:
            with self._app.connection_for_read() as connection:
                connection.ensure_connection(max_retries=1, interval_start=0, timeout=5)
                return int(connection.default_channel.rings())
        except (OperationalError, RedisError, OSError):
            return None


def rings_for(photos: int, batch_size: int, workers: int = 0) -> int:
    """Messages that are worth sending for so many waiting photos: one a batch, and each worker one."""
    return min(max(-(-photos // batch_size), min(photos, workers)), MOST_RINGS)
