"""Signals are sent to a process of the test's own: pytest's must not depend on how it takes them."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

WORKS = """
import signal, sys, time
from nightshift.embedded.interruption import Interrupted, interruptible

def say(word):
    print(word, flush=True)

before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
try:
    with interruptible(lambda: say("forced")) as done:
        try:
            if sys.argv[1] == "done":
                done.set()
            say("working")
            sys.stdin.readline()
        finally:
            say("stopping")
            sys.stdin.readline()
except Interrupted as interrupted:
    say(f"interrupted by {interrupted.number}")
if before == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)):
    say("as before")
"""


class Working:
    """The program above. `tell` lets it go on past the line that it waits for."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.send = process.send_signal

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip()

    def tell(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()


@contextmanager
def working(when: str = "at work") -> Iterator[Working]:
    with subprocess.Popen(
        [sys.executable, "-c", WORKS, when], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        program = Working(process)
        assert program.says() == "working"
        try:
            yield program
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_interrupts(number: signal.Signals) -> None:
    with working() as program:
        program.send(number)
        assert program.says() == "stopping"
        program.tell()
        assert program.says() == f"interrupted by {number}"
        assert program.says() == "as before"
        assert program.process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_forces(number: signal.Signals) -> None:
    with working() as program:
        program.send(signal.SIGINT)
        assert program.says() == "stopping"
        program.send(number)
        assert program.says() == "forced"
        assert program.process.wait() == 128 + number


def test_a_signal_after_the_work_is_ignored_once() -> None:
    with working("done") as program:
        program.send(signal.SIGTERM)
        program.tell()
        assert program.says() == "stopping"
        program.send(signal.SIGTERM)
        assert program.says() == "forced"
        assert program.process.wait() == 128 + signal.SIGTERM
