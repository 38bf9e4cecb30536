"""Who is to blame when a batch gets nowhere: every thread says where it is."""

from __future__ import annotations

import threading
from types import SimpleNamespace

from worker.heartbeat import Heartbeat, Stall


def heartbeat() -> Heartbeat:
    parts = SimpleNamespace(should_stop=lambda: False)
    return Heartbeat(parts, SimpleNamespace(token="lease"))  # type: ignore[arg-type]


def in_a_thread(beat: Heartbeat, *at: str, at_store: bool = False) -> threading.Event:
    """Say so from a thread of its own, which lives until the event is set, lest another get its number."""
    over, said = threading.Event(), threading.Event()

    def run() -> None:
        beat.progress(at, at_store=at_store)
        said.set()
        over.wait(10)

    threading.Thread(target=run, daemon=True).start()
    assert said.wait(10)
    return over


def test_it_is_where_its_threads_are() -> None:
    beat = heartbeat()
    beat.progress(["a"])
    over = in_a_thread(beat, "b")
    stall = beat._stall()
    assert (sorted(stall.at), stall.at_store) == (["a", "b"], False)
    over.set()


def test_who_waits_for_nothing_in_particular_is_not_blamed() -> None:
    beat = heartbeat()
    over = in_a_thread(beat, "b")
    beat.progress()
    assert list(beat._stall().at) == ["b"]
    over.set()


def test_who_waits_for_the_store_is_not_blamed_while_another_is_at_work() -> None:
    beat = heartbeat()
    beat.progress(["a"])
    over = in_a_thread(beat, "b", at_store=True)
    assert beat._stall() == Stall(["a"], at_store=False)
    beat.progress()
    assert beat._stall() == Stall(["b"], at_store=True)
    over.set()


def test_nobody_anywhere_is_nobodys_fault() -> None:
    beat = heartbeat()
    beat.progress()
    assert beat._stall() == Stall([], at_store=False)
