from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from nightshift.machine.process_id import is_surely_alive, is_surely_dead, own_process_id
from tests.support.requirements import require

SAY_AND_WAIT = """
import sys
from nightshift.machine.process_id import own_process_id
print(own_process_id(), flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def needs_proc() -> None:
    require(sys.platform == "linux", "dead processes are told apart by Linux's proc(5)", essential=False)


@pytest.fixture
def child() -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen(
        [sys.executable, "-c", SAY_AND_WAIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


def parts(process_id: str) -> tuple[str, str, str, str]:
    host, realm, process = process_id.split("/")
    number, _, started = process.partition(".")
    return host, realm, number, started


def test_this_process_lives() -> None:
    assert parts(own_process_id())[2] == str(os.getpid())
    assert not is_surely_dead(own_process_id())
    assert is_surely_alive(own_process_id())


def test_a_child_that_lives_is_not_dead(child: tuple[subprocess.Popen[str], str]) -> None:
    process, process_id = child

    assert parts(process_id)[2] == str(process.pid)
    assert not is_surely_dead(process_id)


def test_a_stopped_child_is_not_dead(child: tuple[subprocess.Popen[str], str]) -> None:
    process, process_id = child
    process.send_signal(signal.SIGSTOP)

    assert not is_surely_dead(process_id)
    assert is_surely_alive(process_id)


def test_a_killed_child_is_dead_before_and_after_it_is_collected(
    child: tuple[subprocess.Popen[str], str],
) -> None:
    process, process_id = child
    process.kill()

    # WNOWAIT leaves it a zombie.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_surely_dead(process_id)
    assert not is_surely_alive(process_id)
    process.wait()
    assert is_surely_dead(process_id)
    assert not is_surely_alive(process_id)


def test_a_later_process_with_the_same_number_is_another(child: tuple[subprocess.Popen[str], str]) -> None:
    host, realm, number, started = parts(child[1])

    assert is_surely_dead(f"{host}/{realm}/{number}.{int(started) - 1}")
    assert not is_surely_alive(f"{host}/{realm}/{number}.{int(started) - 1}")


def test_another_host_name_of_the_same_realm_is_judged(child: tuple[subprocess.Popen[str], str]) -> None:
    process, process_id = child
    _, realm, number, started = parts(process_id)
    process.kill()
    process.wait()

    assert is_surely_dead(f"renamed/{realm}/{number}.{started}")


@pytest.mark.parametrize(
    "elsewhere",
    [
        "host/00000000.4026531836/{pid}.1",
        "host//{pid}.1",
        "host/{pid}.1",
        "host",
        "",
        "host/{realm}/",
        "host/{realm}/x.1",
    ],
)
def test_what_is_not_of_this_realm_is_never_judged(elsewhere: str) -> None:
    realm = parts(own_process_id())[1]

    assert not is_surely_dead(elsewhere.format(pid=os.getpid(), realm=realm))
    assert not is_surely_alive(elsewhere.format(pid=os.getpid(), realm=realm))


def test_a_process_that_is_hidden_is_not_dead(
    child: tuple[subprocess.Popen[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With hidepid, other users' processes have no folder under /proc."""

    def hidden(_: int) -> str:
        raise FileNotFoundError

    monkeypatch.setattr("nightshift.machine.process_id._started_at_ticks", hidden)
    assert not is_surely_dead(child[1])
    child[0].kill()
    child[0].wait()
    assert is_surely_dead(child[1])
