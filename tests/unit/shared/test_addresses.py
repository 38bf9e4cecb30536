"""Whom the service speaks to on somebody's word."""

from __future__ import annotations

import pytest

from nightshift.words.errors import InvalidInput
from shared.addresses import is_forbidden_literal, may_be_spoken_to, networks_in
from shared.settings import load_settings


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_the_public_internet_is_spoken_to(address: str) -> None:
    assert may_be_spoken_to(address, ())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
        "224.0.1.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "ff0e::1",
        "fec0::1",
        # In disguise.
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::", "2001:0:5ef5:79fb:0:0:80ff:fffe",
    ],
)  # fmt: skip
def test_nothing_else_is(address: str) -> None:
    assert not may_be_spoken_to(address, ())


def test_what_is_allowed_is_and_no_more() -> None:
    allowed = networks_in("10.1.0.0/16, 192.168.7.5/32,fd00:1::/32")
    for address in ("10.1.2.3", "192.168.7.5", "fd00:1::5", "::ffff:10.1.2.3"):
        assert may_be_spoken_to(address, allowed), address
    for address in ("10.2.0.1", "192.168.7.6", "127.0.0.1", "fd00:2::1"):
        assert not may_be_spoken_to(address, allowed), address


def test_letters_tell_what_they_can() -> None:
    assert is_forbidden_literal("169.254.169.254", ())
    assert is_forbidden_literal("::1", ())
    assert is_forbidden_literal("localhost", ())
    assert is_forbidden_literal("a.localhost.", ())
    assert not is_forbidden_literal("example.org", ())
    assert not is_forbidden_literal("10.1.2.3", networks_in("10.0.0.0/8"))


@pytest.mark.parametrize("networks", ["10.0.0.0/33", "10.0.0.1/8", "all"])
def test_networks_that_are_none_are_refused(networks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_WEBHOOK_ALLOW_CIDRS", networks)
    with pytest.raises(InvalidInput, match="NIGHTSHIFT_WEBHOOK_ALLOW_CIDRS") as refused:
        load_settings()
    assert refused.value.code == "bad_setting"
