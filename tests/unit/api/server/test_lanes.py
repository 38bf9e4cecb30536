from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from api.server import lanes
from api.server.lanes import Lanes
from api.server.limits import FAIR_BYTES_PER_S, Limits

LIMITS = Limits(threads=2, seats=3, patience_s=30, head_s=10, idle_s=30, connections=100)


class Request:
    """A connection whose request is here, as far as lanes know it."""

    def __init__(self, path: str = "/v1/jobs", *, method: str = "GET", whole: bool = True) -> None:
        self.request = SimpleNamespace(method=method, path=path)
        self.came_whole = whole
        self.turn: Any = None
        self.lane: Any = None
        self.queued_s = 0.0
        self.rate = float("inf")
        self.sock = SimpleNamespace(hurried=False, gives_way=False, bytes_per_s=lambda: self.rate)


class Started:
    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.lanes = Lanes(LIMITS, self.requests.append)

    def enter(self, *requests: Request) -> list[Request]:
        for request in requests:
            self.lanes.enter(request)  # type: ignore[arg-type]
        return list(requests)

    def block(self, request: Request, rate: float) -> None:
        request.rate = rate
        self.lanes.wait_for_client(request)  # type: ignore[arg-type]


@pytest.fixture
def started() -> Started:
    return Started()


def test_each_kind_has_threads_of_its_own(started: Started) -> None:
    ordinary = started.enter(*(Request() for _ in range(4)))
    transfers = started.enter(*(Request("/v1/jobs/a/results") for _ in range(4)))
    probes = started.enter(Request("/healthz"), Request("/readyz"))
    assert started.requests == [*ordinary[:2], *transfers[:3], *probes]
    assert [request.sock.hurried for request in probes] == [True, True]
    started.lanes.leave(ordinary[0])  # type: ignore[arg-type]
    assert started.requests[-1] is ordinary[2]


def test_a_body_that_is_not_here_yet_takes_a_seat(started: Started) -> None:
    (put,) = started.enter(Request(method="PUT", whole=False))
    assert put.lane is started.lanes.transfers


def test_who_waits_for_its_client_leaves_its_place_to_the_next(started: Started) -> None:
    first, second, third = started.enter(Request(), Request(), Request())
    started.block(first, rate=0)
    assert started.requests == [first, second, third]
    assert first.lane is started.lanes.transfers


def test_the_slowest_gives_way_while_others_wait(started: Started) -> None:
    holders = started.enter(*(Request(whole=False) for _ in range(3)))
    rates = (FAIR_BYTES_PER_S + 1, 10, 5)
    for holder, rate in zip(holders, rates, strict=True):
        holder.rate = rate
    started.lanes.free_seats()
    assert [holder.sock.gives_way for holder in holders] == [False, False, False]
    started.enter(Request(whole=False))
    for _ in range(2):
        started.lanes.free_seats()
        assert [holder.sock.gives_way for holder in holders] == [False, False, True]
    started.enter(Request(whole=False), Request(whole=False))
    started.lanes.free_seats()
    assert [holder.sock.gives_way for holder in holders] == [False, True, True]


def test_an_ordinary_request_without_a_seat_has_the_next_one(started: Started) -> None:
    holders = started.enter(*(Request(whole=False, method="PUT") for _ in range(3)))
    first, second, third = started.enter(Request(), Request(), Request())
    started.block(first, rate=0)
    assert first.lane is started.lanes.ordinary
    assert third not in started.requests
    started.lanes.leave(holders[0])  # type: ignore[arg-type]
    assert first.lane is started.lanes.transfers
    assert started.requests[-1] is third
    started.lanes.leave(first)  # type: ignore[arg-type]
    started.lanes.leave(second)  # type: ignore[arg-type]
    assert started.lanes.ordinary.inside == {third}


def test_results_take_turns_and_let_others_on_while_they_wait(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = started.enter(*(Request("/v1/jobs/a/results") for _ in range(3)))
    for request in (first, second):
        started.lanes.go_on(request)  # type: ignore[arg-type]
    assert None not in (first.turn, second.turn)
    started.block(first, rate=0)
    started.lanes.go_on(third)  # type: ignore[arg-type]
    assert (first.turn, third.turn) == (None, second.turn)
    # What hangs holds up nobody for good.
    monkeypatch.setattr(lanes, "TURN_WAIT_S", 0.1)
    started.lanes.go_on(first)  # type: ignore[arg-type]
    assert first.turn is None


def test_who_waits_for_too_long_is_found(started: Started) -> None:
    *_, last = started.enter(Request(), Request(), Request())
    assert started.lanes.overdue(60, 9) == []
    overdue: list[object] = [*started.lanes.overdue(-1, 9)]
    assert overdue == [last]
    assert started.lanes.overdue(-1, 9) == []
