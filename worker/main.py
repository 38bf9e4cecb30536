"""Celery's entry: `celery -A worker.main worker`. The parent process never loads torch.

The pool forks. Everything that does not survive a fork - engines, the store's runtime, weights,
CUDA - is built in the child, in `worker_process_init`.
"""

from __future__ import annotations

import logging
import mmap
import os
import signal
import threading
import warnings
from types import FrameType
from typing import Any

import billiard
from celery import Celery, signals
from celery.platforms import SecurityWarning
from celery.worker import state as celery_state

from nightshift.machine.privacy import keep_files_private
from nightshift.words.errors import NightshiftError
from nightshift.words.plain_text import plain
from shared.broker.doorbell import TASK, broker_options
from shared.broker.rings import count_in, take_dropped
from shared.bundles.detector import verify_detector
from shared.bundles.in_use import bundle_in_use
from shared.logs import configure
from shared.settings import load_settings
from worker.memory import give_back, keep_one_heap
from worker.networks import NotLoaded
from worker.starts import Starts, end_worker

# One line for each ring says nothing that the slice does not say; of its start and end we speak ourselves.
_NOT_OURS = (
    *("celery.app.trace", "celery.worker.strategy"),
    *("celery.apps.worker", "celery.worker.consumer.connection"),
)

# Shared with the children, of no file: Celery's pool children ignore the signals that stop a worker.
_stop_flag = mmap.mmap(-1, 1)
count_in(memoryview(mmap.mmap(-1, 16)).cast("Q"))
_process: dict[str, Any] = {}
_starts = Starts()

log = logging.getLogger(__name__)

SIGN_OFF_S = 5.0
"""Within which a process that ends itself may say so."""


def _settings_for_celery() -> dict[str, object]:
    settings = load_settings()
    return {
        **broker_options(settings.broker_url),
        "task_acks_late": False,
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_max_tasks_per_child": 1000,
        "worker_proc_alive_timeout": 120.0,
        "worker_pool_start_method": "fork",
        # For what hangs without releasing the GIL, and so hangs the heartbeat. A batch that waits for its
        # database should not meet it.
        "task_time_limit": settings.slice_s + 30 * settings.lease_s,
    }


app = Celery("nightshift")
app.add_defaults(_settings_for_celery)


@app.task(name=TASK)
def run_slice() -> None:
    """Answer the doorbell."""
    from worker.slice import run_slice as run

    parts = _process["parts"]
    if dropped := take_dropped():
        parts.metrics.count("messages_dropped", dropped)
    try:
        run(parts)
    except NotLoaded as error:
        log.exception("could not load the networks")
        _starts.tell("failed", error.reason)
        parts.exit(1)


@signals.setup_logging.connect
def _log(**_: object) -> None:
    # Connected, it also keeps Celery from setting up its own.
    settings = load_settings()
    configure(settings.log_level, settings.log_format)
    for name in _NOT_OURS:
        logging.getLogger(name).setLevel(logging.WARNING)


@signals.celeryd_init.connect
def _speak_for_yourself(instance: Any = None, **_: object) -> None:
    """Leave out Celery's banner, and its warning of root: in a container it is nobody else."""
    instance.quiet = True
    warnings.filterwarnings("ignore", category=SecurityWarning)


@signals.worker_ready.connect
def _end_well(**_: object) -> None:
    """Have Ctrl-C end it as SIGTERM does, with code 0, which Celery calls a failure; the second forces it."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        if celery_state.should_stop is None:
            log.info("stopping: what is under way is given back; Ctrl-C again forces")
            _stop_flag[0] = 1
            celery_state.should_stop = 0
        else:
            os.kill(os.getpid(), signal.SIGQUIT)

    signal.signal(signal.SIGINT, stop)
    # What was pressed before now is taken now.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@signals.worker_init.connect
def _check_before_forking(**_: object) -> None:
    """Say what is wrong with settings or weights once, in the parent, instead of in every child for ever."""
    keep_files_private()
    # Its children have it by that.
    keep_one_heap()
    # What all children use, imported once: it is neither torch nor anything that does not survive a fork.
    import worker.parts
    import worker.registration
    import worker.slice  # noqa: F401

    try:
        settings = load_settings()
        bundle_in_use(settings)
        verify_detector()
    except NightshiftError as error:
        raise SystemExit(f"nightshift worker: {error.code}: {plain(error.message)}") from error
    try:
        # The pool is made of these.
        billiard.Lock()
    except OSError as error:
        reason = f"the folder of shared memory, /dev/shm, cannot be used: {error.strerror}"
        raise SystemExit(f"nightshift worker: start_failed: {reason}") from error
    _starts.watch(settings, _give_up)


def _give_up(reason: str) -> None:
    end_worker(reason, _end_in_order, SIGN_OFF_S)


def _end_in_order() -> None:
    _stop_flag[0] = 1
    celery_state.should_stop = 1


@signals.worker_process_init.connect
def _start(**_: object) -> None:
    """Build what this child works with, or end it: Celery would go on with a child that has no parts."""
    # Ignored by Celery's children, and not to be held back from what they start.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    _starts.tell("begun")
    try:
        _build()
    except BaseException as error:
        log.exception("could not start")
        reason = error.reason if isinstance(error, NotLoaded) else NotLoaded(error).reason
    else:
        pipeline = _process["parts"].pipeline
        _starts.tell("up" if pipeline.are_loaded else "waits")
        log.info("ready", extra=pipeline.about())
        return
    _starts.tell("failed", reason)
    raise SystemExit(f"nightshift worker: {plain(reason)}")


def _build() -> None:
    from worker.parts import build_parts
    from worker.registration import Registration

    parent = os.getppid()

    def should_stop() -> bool:
        # A parent that was killed sets no flag.
        return bool(_stop_flag[0]) or os.getppid() != parent

    def leave(status: int) -> None:
        # Whatever the database does.
        threading.Timer(SIGN_OFF_S, os._exit, [status]).start()
        try:
            registered.close()
        finally:
            os._exit(status)

    parts = _process["parts"] = build_parts(load_settings(), should_stop, leave, _batch_done)
    networks = parts.pipeline
    about = {
        **networks.about(),
        "bundle": networks.manifest.name,
        "batch_size": parts.settings.batch_size,
        "threads": parts.settings.network_threads,
    }
    _process["registration"] = registered = Registration(
        parts.database, parts.worker, "worker", parts.metrics, about
    )

    def loaded() -> None:
        _starts.tell("up")
        registered.tell(**networks.about())

    networks.when_loaded = loaded
    parts.folders.tell = lambda folder: registered.tell(waits_for=folder)
    registered.start()


def _batch_done() -> None:
    _starts.tell("done")
    give_back()


@signals.worker_process_shutdown.connect
def _sign_off(**_: object) -> None:
    if registered := _process.get("registration"):
        registered.close()


@signals.worker_shutting_down.connect
def _stop(**_: object) -> None:
    # On SIGTERM Celery waits for its tasks: the children see the flag before the next photo, give
    # their batch back and come home. Whoever sent the signal bounds the wait (its own SIGKILL).
    _stop_flag[0] = 1
