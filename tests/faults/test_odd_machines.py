"""Machines that lack what every other has, shared memory or /proc: a run goes on, or says why it cannot."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.command import COMMAND, Nightshift, results, write_portraits

pytestmark = pytest.mark.faults

SHARED_MEMORY = {
    "read-only": "mount -t tmpfs -o ro tmpfs /dev/shm",
    "full": "mount -t tmpfs -o size=8k tmpfs /dev/shm; cat /dev/zero >/dev/shm/filler",
}


def run_after(mounts: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one portrait where, for this command alone, these mounts were made."""
    within = ["unshare", "--mount", "--propagation", "private", "bash", "-c"]
    if subprocess.run([*within, "mount -t tmpfs tmpfs /proc"], capture_output=True, check=False).returncode:
        pytest.skip("optional: needs the right to mount what one process alone sees")
    write_portraits(folder / "party", 1)
    run = shlex.join([COMMAND, "run", "party", "--out", "out", "--no-report"])
    return subprocess.run(
        [*within, f"{{ {mounts}; }} 2>{folder}/mounts; exec timeout --kill-after=10 240 {run}"],
        cwd=folder,
        env=Nightshift(folder).environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("mounts", SHARED_MEMORY.values(), ids=SHARED_MEMORY)
def test_shared_memory_that_cannot_be_used_is_named(tmp_path: Path, mounts: str) -> None:
    done = run_after(mounts, tmp_path)
    assert done.returncode == 6, done.stderr
    assert "Traceback" not in done.stderr
    assert not [line for line in done.stderr.splitlines() if line.startswith(" ")], done.stderr
    assert "/dev/shm, cannot be used" in done.stderr.splitlines()[-1]
    assert Nightshift(tmp_path).processes() == []


def test_without_proc_a_run_ends_with_a_reason(tmp_path: Path) -> None:
    done = run_after("mount -t tmpfs tmpfs /proc", tmp_path)
    assert "Traceback" not in done.stderr
    # Whether the libraries of the networks need it is theirs to decide; nobody may wait for ever.
    if done.returncode == 0:
        assert len(results(tmp_path / "out")) == 1
    else:
        assert done.returncode == 6, done.stderr
        assert "start_failed: " in done.stderr.splitlines()[-1], done.stderr
    assert Nightshift(tmp_path).processes() == []
