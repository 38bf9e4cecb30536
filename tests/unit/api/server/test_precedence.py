from __future__ import annotations

import threading

import pytest

from api.server import precedence
from api.server.precedence import SOME, Precedence
from tests.support.processes import wait_for


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "HOLD_BACK_S", 60.0)


def holding_back(taken: Precedence, number: int) -> tuple[list[threading.Thread], threading.Semaphore]:
    """Threads at a place where they hold back, and how many of them have gone on."""
    gone_on = threading.Semaphore(0)

    def work() -> None:
        taken.hold_back()
        gone_on.release()

    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(taken._turn._waiters) == number, "all to hold back")  # type: ignore[attr-defined]
    return threads, gone_on


def test_without_a_crowd_nobody_holds_back() -> None:
    Precedence().hold_back()


def test_in_a_crowd_some_go_on_at_a_time_and_after_it_all() -> None:
    taken = Precedence()
    taken.take()
    threads, gone_on = holding_back(taken, 2 * SOME + 1)
    taken.let_some_through()
    for _ in range(SOME):
        gone_on.acquire()
    assert not gone_on.acquire(blocking=False)
    taken.give_back()
    for thread in threads:
        thread.join()
    taken.hold_back()


def test_who_has_held_back_for_long_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "HOLD_BACK_S", 0.01)
    taken = Precedence()
    taken.take()
    taken.hold_back()
    assert taken.is_taken
