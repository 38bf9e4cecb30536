from __future__ import annotations

import socket
import threading

import pytest

from api.waiting import WaitingRoom


def test_seats_are_taken_and_given_back() -> None:
    room = WaitingRoom(seats=1)
    with room.seat() as first:
        with room.seat() as second:
            assert (first, second) == (True, False)
        assert room.wait(pytest.fail, at_most_s=3600, client=None) is False
    with room.seat() as again:
        assert again


def test_an_error_gives_the_seat_back() -> None:
    room = WaitingRoom(seats=1)

    def is_over() -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        room.wait(is_over, at_most_s=3600, client=None)
    with room.seat() as again:
        assert again


def test_it_looks_until_it_is_over() -> None:
    looks = iter([False, False, True])
    assert WaitingRoom(seats=1).wait(lambda: next(looks), at_most_s=3600, client=None)
    assert next(looks, None) is None


def test_nobody_waits_for_a_client_that_has_gone() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        assert WaitingRoom(seats=1).wait(lambda: False, at_most_s=3600, client=ours)


def test_a_client_that_sends_its_next_request_has_not_gone() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"GET")
        looks = iter([False, True])
        assert WaitingRoom(seats=1).wait(lambda: next(looks), at_most_s=3600, client=ours)
        assert next(looks, None) is None
        assert ours.recv(3) == b"GET"


def test_a_room_that_closes_lets_everybody_go() -> None:
    room = WaitingRoom(seats=1)
    looked = threading.Event()

    def is_over() -> bool:
        looked.set()
        return False

    waiter = threading.Thread(target=room.wait, args=(is_over,), kwargs={"at_most_s": 3600, "client": None})
    waiter.start()
    assert looked.wait(60)
    room.close()
    waiter.join(60)
    assert not waiter.is_alive()
    assert room.wait(lambda: False, at_most_s=3600, client=None)
