"""A worker's process that begins before it is known what for."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest

from nightshift.embedded import early
from nightshift.embedded.children import Command
from nightshift.embedded.early import EarlyWorker
from nightshift.embedded.environment import environment_of_children
from nightshift.embedded.supervisor import Supervisor
from tests.support.processes import wait_for

TOLD = """
import os, sys, signal, time
of = os.environ
print(*sys.argv[1:], of["NIGHTSHIFT_BUNDLE"], of["NIGHTSHIFT_HOME"], "HOME" in of, flush=True)
print("to the same file", file=sys.stderr, flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
time.sleep(600)
"""


def a_module(folder: Path) -> Command:
    """A stand-in of Celery: a module that says what it was told."""
    (folder / "says_it.py").write_text(TOLD)
    environment = {**environment_of_children(), "NIGHTSHIFT_BUNDLE": "chosen", "NIGHTSHIFT_HOME": str(folder)}
    log = folder / "workers.log"
    return Command("workers", [sys.executable, "-m", "says_it", "a b"], environment, folder, log)


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let its process find that module, as it finds Celery."""
    monkeypatch.setattr(
        early, "environment_of_children", lambda: {**environment_of_children(), "PYTHONPATH": str(tmp_path)}
    )


@pytest.mark.usefixtures("importable")
def test_it_becomes_what_it_is_told_and_is_kept_as_that(tmp_path: Path) -> None:
    command = a_module(tmp_path)
    supervisor = Supervisor(lambda _: None)
    with EarlyWorker(tmp_path) as worker:
        child = worker.become(command)
        assert child is not None
        supervisor.start(command, child)
    log = tmp_path / "workers.log"
    wait_for(lambda: log.exists() and "same" in log.read_text(), "the module to run")
    assert log.read_text() == f"a b chosen {tmp_path} True\nto the same file\n"
    assert log.stat().st_mode & 0o777 == 0o600
    assert child.exit_code is None
    supervisor.stop("workers", within_s=20.0)
    supervisor.close()
    assert child.exit_code == 0
    assert supervisor.failure is None


def test_nothing_is_left_of_one_that_is_not_wanted(tmp_path: Path) -> None:
    with EarlyWorker(tmp_path) as worker:
        child = worker._child
    assert child is not None
    assert child.exit_code is not None
    assert list(tmp_path.iterdir()) == []


def test_one_whose_command_is_killed_ends_by_itself(tmp_path: Path) -> None:
    worker = EarlyWorker(tmp_path)
    child = worker._child
    assert child is not None
    # As the kernel does when the command dies.
    worker._tell.close()
    wait_for(lambda: child.exit_code is not None, "it to end")
    assert child.exit_code == 0


def test_where_it_has_died_the_worker_is_started_as_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early, "_ARGUMENTS", (sys.executable, "-c", "raise SystemExit(3)"))
    with EarlyWorker(tmp_path) as worker:
        child = worker._child
        assert child is not None
        wait_for(lambda: child.exit_code is not None, "it to end")
        assert worker.become(a_module(tmp_path)) is None


def test_where_none_can_be_started_the_worker_is_started_as_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_command: Command) -> None:
        raise OSError("no room for a process")

    monkeypatch.setattr(early, "Child", none)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with EarlyWorker(tmp_path) as worker:
        assert worker.become(a_module(tmp_path)) is None
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_where_memory_is_limited_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2**32, 2**32))
    with EarlyWorker(tmp_path) as worker:
        assert worker.become(a_module(tmp_path)) is None
