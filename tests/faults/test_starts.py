"""Workers that cannot start: they say so and end, and whoever waits for them is told."""

import re
import resource
import subprocess
import time
from pathlib import Path

import pytest

from shared.processes.command_lines import worker_command
from tests.support.command import Nightshift, write_portraits
from tests.support.processes import Cluster

pytestmark = pytest.mark.faults

BROKEN = {
    "an import that fails": "raise RuntimeError('no such instruction')",
    "an import that ends the process": "raise SystemExit(0)",
    "a kill by the kernel": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "no memory": "raise MemoryError",
}


def ended(cluster: Cluster, folder: Path, script: str) -> tuple[int, str]:
    """Exit code and log of a worker whose numba does this when it is imported."""
    package = folder / "numba"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(script)
    cluster.start_broker()
    worker = cluster.start("worker", worker_command(cluster.settings), PYTHONPATH=str(folder))
    return worker.wait(180), cluster.log("worker")


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
def test_a_worker_whose_processes_never_come_up_says_so_and_ends(
    cluster: Cluster, tmp_path: Path, script: str
) -> None:
    code, log = ended(cluster, tmp_path / "modules", script)
    assert code not in (0, None)
    last = [line for line in log.split("\n") if line.startswith("nightshift worker: ")][-1]
    assert "start_failed" in last


def test_a_limit_on_memory_is_said(cluster: Cluster) -> None:
    cluster.start_broker()
    with (cluster.logs / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            worker_command(cluster.settings),
            stdout=log,
            stderr=log,
            env={
                "NIGHTSHIFT_HOME": str(cluster.settings.home),
                "NIGHTSHIFT_WORKERS": "1",
                "PATH": "/bin:/usr/bin",
            },
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (550 * 2**20, 550 * 2**20)),
            start_new_session=True,
        )
    cluster.processes["worker"] = worker
    assert worker.wait(180) not in (0, None)
    # Without torch, to which it would turn, it is the runtime that cannot be loaded.
    assert re.search("nightshift worker: (start_failed|runtime_unavailable): ", cluster.log("worker"))


def test_a_run_whose_workers_cannot_start_ends_with_their_reason(tmp_path: Path) -> None:
    write_portraits(tmp_path / "party", 1)
    nightshift = Nightshift(tmp_path, {"DEVICE": "cuda:99"})
    done = nightshift.run("run", "party")
    assert done.returncode == 6
    assert "cuda" in done.stderr.split("\n")[-2]
    assert nightshift.processes() == []


def test_a_run_with_a_broker_that_is_not_there_says_so_and_gives_up(tmp_path: Path) -> None:
    write_portraits(tmp_path / "party", 1)
    nightshift = Nightshift(tmp_path, {"BROKER_URL": "redis://127.0.0.1:1/0", "GIVE_UP_S": "25"})
    begun = time.monotonic()
    done = nightshift.run("run", "party")
    assert done.returncode == 6, done.stderr
    assert time.monotonic() - begun < 200
    assert done.stderr.count("waiting: the broker does not answer") == 1
    assert "(gave_up)" in done.stderr
    assert "nightshift run --resume" in done.stderr
    assert nightshift.processes() == []


def test_a_child_that_comes_up_after_others_fell_is_enough(tmp_path: Path) -> None:
    from worker.starts import Record

    living = {10}
    record = Record(1, living.__contains__)
    for pid in (1, 2):
        record.add("begun", pid, "")
        record.add("failed", pid, "start_failed: x")
        assert record.hopeless() is None
    record.add("begun", 10, "")
    record.add("up", 10, "")
    for pid in (11, 12, 13, 14):
        record.add("begun", pid, "")
        record.add("failed", pid, "start_failed: y")
        assert record.hopeless() is None
    living.clear()
    assert record.hopeless() == "start_failed: y"
