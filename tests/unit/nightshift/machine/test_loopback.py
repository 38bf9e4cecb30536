from __future__ import annotations

import pytest

from nightshift.machine.loopback import is_loopback


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost", "localhost.", "127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1"]
)
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "0.0.0.0",
        "::",
        "10.0.0.1",
        "::ffff:10.0.0.1",
        "localhost.example",
        "127.0.0.1.example",
        "0x7f.1",
    ],
)
def test_elsewhere(host: str | None) -> None:
    assert not is_loopback(host)
