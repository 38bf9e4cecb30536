"""A worker's threads allocate from one heap, of which the system gets back what is free."""

from __future__ import annotations

import platform
from contextlib import suppress
from pathlib import Path

from bench.samples import astronaut_jpeg
from tests.support.command import Nightshift
from tests.support.processes import heaps_of_threads, wait_for
from tests.support.requirements import require

require(platform.libc_ver()[0] == "glibc", "the C library is not glibc", essential=False)


def test_the_processes_of_the_pool_have_no_heaps_for_threads(tmp_path: Path) -> None:
    (tmp_path / "party").mkdir()
    for number in range(4):
        (tmp_path / "party" / f"{number}.jpg").write_bytes(astronaut_jpeg(300 + number))
    nightshift = Nightshift(tmp_path, {"WORKERS": "1"})
    heaps: dict[int, int] = {}
    run = nightshift.start("run", "party", "--out", "out", "--no-report")

    def has_ended() -> bool:
        for line in nightshift.processes():
            pid, _, command = line.partition(" ")
            with suppress(OSError):
                if "worker.early" in command:
                    heaps[int(pid)] = max(heaps.get(int(pid), 0), heaps_of_threads(int(pid)))
        return run.poll() is not None

    wait_for(has_ended, "the run to end")
    _, err = run.communicate()
    assert run.returncode == 0, err
    # The parent of the pool, and its one process; and the guard, whose command line has theirs in it.
    assert len(heaps) >= 2
    assert set(heaps.values()) == {0}, heaps
