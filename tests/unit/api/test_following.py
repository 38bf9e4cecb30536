from __future__ import annotations

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from api.following import wanted_wait_s


def asked(*prefer: str) -> Request:
    return Request(EnvironBuilder(headers=[("Prefer", value) for value in prefer]).get_environ())


@pytest.mark.parametrize(
    ("prefer", "wait_s"),
    [
        ("wait=10", 10),
        ('wait="10"', 10),
        ("respond-async, wait = 7", 7),
        ("wait=7, respond-async", 7),
        ("WAIT=5", 5),
        ("wait=0", 0),
        ("wait=99999", 30),
        ("wait=-1", 0),
        ("wait=ten", 0),
        ("wait", 0),
        ("await=10", 0),
        ("", 0),
    ],
)
def test_how_long_a_client_would_wait(prefer: str, wait_s: int) -> None:
    assert wanted_wait_s(asked(prefer)) == wait_s


def test_without_the_header() -> None:
    assert wanted_wait_s(asked()) == 0
