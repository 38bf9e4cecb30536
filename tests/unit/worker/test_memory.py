"""In processes of their own: how a process allocates is settled once and for all."""

from __future__ import annotations

import ctypes
import subprocess
import sys

from tests.support.processes import heaps_of_threads
from tests.support.requirements import require

require(hasattr(ctypes.CDLL(None), "malloc_trim"), "the C library is not glibc", essential=False)

_LIBC = "import ctypes; libc = ctypes.CDLL(None); libc.malloc.restype = ctypes.c_void_p\n"

HELD = (
    _LIBC
    + """
from pathlib import Path
from worker.main import _batch_done as batch_done

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))

blocks = [ctypes.c_void_p(libc.malloc(50_000)) for _ in range(2_000)]
for block in blocks:
    ctypes.memset(block, 1, 50_000)
# The last stays, and all that is free lies under it.
for block in blocks[:-1]:
    libc.free(block)
before = resident()
batch_done()
print(before - resident())
"""
)

THREADS = (
    _LIBC
    + """
import sys, threading
from worker.memory import keep_one_heap

if sys.argv[1] == "one":
    keep_one_heap()
here = threading.Barrier(4)
def allocate():
    libc.malloc(50_000)
    here.wait()
    if here.wait() == 0:
        print("ready", flush=True)
    sys.stdin.read()
threads = [threading.Thread(target=allocate) for _ in range(4)]
for thread in threads:
    thread.start()
"""
)


def test_after_a_batch_what_is_free_among_what_is_not_is_given_back() -> None:
    run = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True)
    assert int(run.stdout) > 50_000  # kB, of a hundred thousand


def test_threads_share_a_heap() -> None:
    assert heaps_with("many") > 1
    assert heaps_with("one") == 0


def heaps_with(argument: str) -> int:
    with subprocess.Popen(
        [sys.executable, "-c", THREADS, argument], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stdout
        process.stdout.readline()
        heaps = heaps_of_threads(process.pid)
        process.stdin.close()
    return heaps
