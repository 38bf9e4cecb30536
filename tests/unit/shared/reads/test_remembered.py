"""What is made once for many: how long it holds, who waits, and what is not remembered."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from shared.reads.remembered import MOST, Remembered
from tests.support.processes import wait_for


class _Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_it_is_made_once_while_it_is_fresh() -> None:
    clock, made = _Clock(), iter(range(10))
    remembered: Remembered[int] = Remembered(1.0, clock)

    def ask(key: str = "anna", version: int = 0) -> int:
        return remembered.get(key, lambda: next(made), lambda: version)

    assert [ask(), ask(), ask("ben"), ask()] == [0, 0, 1, 0]
    clock.now_s += 0.99
    assert ask() == 0
    clock.now_s += 0.01
    assert [ask(), ask()] == [2, 2]
    # What has changed is told at once.
    assert [ask(version=1), ask(version=1)] == [3, 3]


def test_what_goes_wrong_is_not_remembered() -> None:
    remembered: Remembered[int] = Remembered(1.0)
    with pytest.raises(ZeroDivisionError):
        remembered.get("anna", lambda: 1 // 0)
    assert remembered.get("anna", lambda: 7) == 7


def test_of_many_at_once_one_makes_it_and_the_others_get_it() -> None:
    clock, begun, go_on = _Clock(), threading.Event(), threading.Event()
    remembered: Remembered[str] = Remembered(1.0, clock)
    makers: list[str] = []

    def slowly(what: str) -> str:
        makers.append(what)
        begun.set()
        assert go_on.wait(20)
        return what

    with ThreadPoolExecutor(8) as pool:
        first = [pool.submit(remembered.get, "anna", lambda: slowly("first")) for _ in range(8)]
        assert begun.wait(20)
        go_on.set()
        assert {answer.result(20) for answer in first} == {"first"}
        assert makers == ["first"]
        clock.now_s += 2
        begun.clear()
        go_on.clear()
        second = pool.submit(remembered.get, "anna", lambda: slowly("second"))
        assert begun.wait(20)
        # Nobody waits for a new one while there is an old one, unless that is known to be wrong.
        assert remembered.get("anna", lambda: "mine") == "first"
        third = pool.submit(remembered.get, "anna", lambda: "third", lambda: 1)
        go_on.set()
        assert (second.result(20), third.result(20)) == ("second", "third")


def test_who_waits_for_what_has_changed_does_not_make_it_once_more() -> None:
    """Where each upload is a change, everybody who looks would wait for everybody before."""
    remembered: Remembered[int] = Remembered(1.0, _Clock())
    asked, makers = [0], count()
    begun, go_on = threading.Event(), threading.Event()

    def version() -> int:
        asked.append(len(asked))
        return asked[-1]

    def slowly() -> int:
        begun.set()
        assert go_on.wait(20)
        return next(makers)

    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(remembered.get, "anna", slowly, version)
        assert begun.wait(20)
        others = [pool.submit(remembered.get, "anna", slowly, version) for _ in range(8)]
        # Twice by the first, when it asked and when it began.
        wait_for(lambda: len(asked) == 1 + 2 + 8, "all to have asked")
        go_on.set()
        assert first.result(20) == 0
        told = [other.result(20) for other in others]
    # Not by the one that was begun before they asked, and not by one each.
    assert told == [1] * 8


def test_what_is_much_too_old_is_told_nobody() -> None:
    clock, begun, go_on = _Clock(), threading.Event(), threading.Event()
    remembered: Remembered[str] = Remembered(1.0, clock)
    remembered.get("anna", lambda: "last night")
    clock.now_s += 36_000

    def slowly() -> str:
        begun.set()
        assert go_on.wait(20)
        return "now"

    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(remembered.get, "anna", slowly)]
        assert begun.wait(20)
        answers.append(pool.submit(remembered.get, "anna", lambda: "mine"))
        answers.append(pool.submit(remembered.get_soon, "anna", lambda: "mine"))
        go_on.set()
        assert {answer.result(20) for answer in answers} == {"now"}


def test_it_forgets_whom_it_has_not_heard_of_for_long() -> None:
    remembered: Remembered[int] = Remembered(1000.0)
    remembered.get("anna", lambda: 1)
    for number in range(MOST):
        remembered.get(number, lambda: 2)
    assert remembered.get("anna", lambda: 3) == 3


def test_nobody_waits_for_what_may_be_old() -> None:
    clock, begun, go_on = _Clock(), threading.Event(), threading.Event()
    remembered: Remembered[str] = Remembered(1.0, clock)
    assert remembered.get_soon("all", lambda: "first") == "first"

    def slowly() -> str:
        begun.set()
        assert go_on.wait(20)
        return "second"

    clock.now_s += 2
    assert remembered.get_soon("all", slowly) == "first"
    assert begun.wait(20)
    assert remembered.get_soon("all", lambda: str(1 // 0)) == "first"
    go_on.set()
    wait_for(lambda: remembered.get_soon("all", lambda: "third") == "second", "the second")
    clock.now_s += 2
    assert remembered.get_soon("all", lambda: str(1 // 0)) == "second"
    wait_for(lambda: remembered.get_soon("all", lambda: "fourth") == "fourth", "another try after a fault")
