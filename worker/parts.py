"""What one worker process is made of. Built after the fork, never at import."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nightshift.machine.process_id import own_process_id
from shared.broker.doorbell import CeleryDoorbell, Doorbell
from shared.db.engine import Database
from shared.files.store import Store
from shared.queue.queue import Queue
from shared.settings import Settings
from worker.batch_size import BatchSize
from worker.folders import Folders
from worker.metrics import Metrics
from worker.networks import Networks

if TYPE_CHECKING:
    from worker.pipeline.analyse import Pipeline


@dataclass(frozen=True, slots=True)
class Parts:
    """The things a slice works with.

    Attributes:
        settings: of this process.
        database: own connections.
        store: own client.
        doorbell: to ring again when work is left.
        pipeline: weights in memory, now or when a photo needs them.
        worker: this process's id, written on every lease.
        should_stop: True from the moment this process is asked to end.
        batch_size: photos to claim at once.
        metrics: what this process counts.
        folders: which folders of photos in place are away.
        exit: ends this process at once, whatever its other threads hang in.
        batch_done: called after each batch that was seen through.
    """

    settings: Settings
    database: Database
    store: Store
    doorbell: Doorbell
    pipeline: Networks
    worker: str
    should_stop: Callable[[], bool]
    batch_size: BatchSize
    metrics: Metrics = field(default_factory=Metrics)
    folders: Folders = field(default_factory=Folders)
    exit: Callable[[int], None] = os._exit
    batch_done: Callable[[], None] = lambda: None

    @property
    def queue(self) -> Queue:
        """The queue, by this process's settings."""
        return Queue(self.database, self.settings)


def load_pipeline(settings: Settings) -> Pipeline:
    """Load the weights, and do what a first photo would wait for.

    Raises:
        ModelUnavailable: the weights or the device cannot be used.
    """
    from worker.pipeline.analyse import build_pipeline
    from worker.pipeline.warm_up import warm_up

    pipeline = build_pipeline(settings)
    warm_up(pipeline)
    return pipeline


def build_parts(
    settings: Settings,
    should_stop: Callable[[], bool],
    leave: Callable[[int], None],
    batch_done: Callable[[], None] = lambda: None,
) -> Parts:
    """Open the database and the store, and load the weights unless that has time until a photo needs them.

    Raises:
        InvalidInput: `bad_setting`.
        ModelUnavailable: there are no such weights.
        NotLoaded: the weights or the device cannot be used.
    """
    networks = Networks(settings, load_pipeline)
    if settings.load_networks == "at_start":
        networks.load()
    return Parts(
        settings=settings,
        database=Database(settings.database_url),
        store=Store(settings.store_url),
        doorbell=CeleryDoorbell(settings.broker_url),
        pipeline=networks,
        worker=own_process_id(),
        should_stop=should_stop,
        batch_size=BatchSize(settings.batch_size, first=1),
        exit=leave,
        batch_done=batch_done,
    )
