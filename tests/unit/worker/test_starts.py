"""What a worker says at its end."""

from __future__ import annotations

import subprocess
import sys

from nightshift.machine.allowance import Allowance
from worker.starts import Record

PROGRAM = "from worker.starts import end_worker; end_worker('bad: \\x1b[2Jdown\\nforged', lambda: None, 0)"


def test_the_reason_of_an_end_steers_no_terminal_and_is_one_line() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr == "nightshift worker: bad: \\x1b[2Jdown\\nforged\n"


def allowed(kills: int | None) -> Allowance:
    return Allowance(1, 2 * 2**30, host_cores=16, memory_is_limited=True, kills=kills)


class Kernel:
    """Kills, and counts what it kills where it does."""

    def __init__(self, *, counts: bool = True) -> None:
        self.living: set[int] = set()
        self.kills: int | None = 0 if counts else None
        self.record = Record(8, self.living.__contains__, allowed=lambda: allowed(self.kills), most_killed=10)
        self._pid = 0

    def start(self, *words: str) -> int:
        self._pid += 1
        self.living.add(self._pid)
        for word in ("begun", *words):
            self.record.add(word, self._pid, "")
        return self._pid

    def kill(self, pid: int) -> None:
        self.living.discard(pid)
        if self.kills is not None:
            self.kills += 1


def test_processes_that_are_killed_for_memory_again_and_again_end_with_words_that_say_so() -> None:
    kernel = Kernel()
    pids = [kernel.start("up") for _ in range(8)]
    killed = 0
    while (why := kernel.record.hopeless()) is None:
        killed += 1
        # Another comes up in its place, and others are up all the time.
        kernel.kill(pids.pop(0))
        pids.append(kernel.start("up"))
        assert killed <= 10
    assert killed == 10
    assert why == (
        "out_of_memory: the kernel has killed its processes for memory 10 times while no batch was done;"
        " 1 core of 16 and 2.0 GB of memory may be used, and it has 8 processes: give it more memory,"
        " or set NIGHTSHIFT_WORKERS lower"
    )


def test_processes_that_are_killed_now_and_then_are_not_given_up() -> None:
    kernel = Kernel()
    other = kernel.start("up")
    for _ in range(30):
        kernel.kill(kernel.start("up"))
        kernel.start("up")
        kernel.record.add("done", other, "")
        assert kernel.record.hopeless() is None


def test_what_the_kernel_killed_elsewhere_and_what_ended_by_itself_is_not_counted() -> None:
    kernel = Kernel()
    kernel.start("up")
    kernel.kills = 100
    kernel.start("up")
    assert kernel.record.hopeless() is None
    silent = Kernel(counts=False)
    silent.start("up")
    for _ in range(30):
        silent.kill(silent.start("up"))
        assert silent.record.hopeless() is None


def test_processes_that_wait_with_their_networks_keep_no_failure_from_being_seen() -> None:
    living = {1, 2}
    record = Record(2, living.__contains__)
    for pid in (1, 2):
        record.add("begun", pid, "")
        record.add("waits", pid, "")
    for failing in range(3, 6):
        assert record.hopeless() is None
        record.add("begun", failing, "")
        record.add("waits", failing, "")
        record.add("failed", failing, "device_unavailable: none")
    assert record.hopeless() == "device_unavailable: none"


def test_a_worker_that_never_needed_its_networks_is_not_hopeless_when_its_processes_are_renewed() -> None:
    living: set[int] = set()
    record = Record(2, living.__contains__)
    for pid in range(20):
        record.add("begun", pid, "")
        record.add("waits", pid, "")
        assert record.hopeless() is None
