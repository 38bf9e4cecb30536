import os
import signal
import subprocess
import sys

import pytest

from nightshift.embedded.interruption import Interrupted, interruptible

STOPS_SLOWLY = """
import time
from nightshift.embedded.interruption import Interrupted, interruptible
def force():
    print("forced", flush=True)
try:
    with interruptible(force):
        try:
            print("working", flush=True)
            time.sleep(600)
        finally:
            print("stopping", flush=True)
            time.sleep(600)
except Interrupted:
    print("stopped", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_interrupts(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(Interrupted) as interrupted, interruptible(lambda: None):
        os.kill(os.getpid(), number)
    assert interrupted.value.number == number
    assert signal.getsignal(number) == before


def test_the_second_forces() -> None:
    with subprocess.Popen([sys.executable, "-c", STOPS_SLOWLY], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "stopping\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "forced\n"
    assert process.returncode == 130


def test_a_signal_after_the_work_is_ignored_once() -> None:
    with interruptible(lambda: None) as done:
        done.set()
        os.kill(os.getpid(), signal.SIGTERM)
