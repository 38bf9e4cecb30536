from __future__ import annotations

import base64
import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.body import PhotoBody, RequestBody, expected_sha256
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput


def body(
    data: bytes, *, length: int | None = None, limit: int = 10**6, sha256: str | None = None
) -> PhotoBody:
    whole = RequestBody(io.BytesIO(data).read, length=length, limit=10**9)
    return PhotoBody(whole.read, limit=limit, sha256=sha256)


@given(st.binary(min_size=1, max_size=2000), st.booleans())
def test_what_goes_in_comes_out_hashed(data: bytes, announced: bool) -> None:
    digest = hashlib.sha256(data).hexdigest()
    passing = body(data, length=len(data) if announced else None, sha256=digest)
    assert b"".join(passing) == data
    assert (passing.sha256, passing.size_bytes) == (digest, len(data))


def test_large_bodies_come_in_pieces() -> None:
    assert max(map(len, body(bytes(900_000)))) < 900_000


@pytest.mark.parametrize(
    ("data", "arguments", "code"),
    [
        (b"", {}, "empty_upload"),
        (b"", {"length": 0}, "empty_upload"),
        (b"", {"length": 5}, "body_cut_off"),
        (b"1234", {"length": 5}, "body_cut_off"),
        (b"1234", {"limit": 3}, "file_too_large"),
        (b"1234", {"sha256": "0" * 64}, "digest_mismatch"),
    ],
)
def test_it_raises_before_its_end(data: bytes, arguments: dict[str, int], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        list(body(data, **arguments))  # type: ignore[arg-type]
    assert refused.value.code == code


def test_what_announces_too_much_is_not_read() -> None:
    with pytest.raises(InvalidInput) as refused:
        RequestBody(io.BytesIO().read, length=11, limit=10)
    assert refused.value.code == "upload_too_large"
    assert RequestBody(io.BytesIO(b"0123456789").read, length=10, limit=10).read() == b"0123456789"


def test_a_body_of_no_announced_length_is_bounded_as_it_comes() -> None:
    passing = RequestBody(io.BytesIO(bytes(900_000)).read, length=None, limit=600_000)
    with pytest.raises(InvalidInput) as refused:
        while passing.read():
            pass
    assert refused.value.code == "upload_too_large"


@pytest.mark.parametrize("error", [OSError("reset"), TimeoutError(), ValueError("chunk")])
def test_a_connection_that_breaks_is_a_cut_off_body(error: Exception) -> None:
    def read(_: int) -> bytes:
        raise error

    with pytest.raises(InvalidInput) as refused:
        RequestBody(read, length=None, limit=10).read()
    assert refused.value.code == "body_cut_off"


def test_what_the_server_below_says_of_a_body_is_passed_on() -> None:
    def read(_: int) -> bytes:
        raise InvalidInput(Code.BODY_TOO_SLOW, "too slow")

    with pytest.raises(InvalidInput) as refused:
        RequestBody(read, length=None, limit=10).read()
    assert refused.value.code == "body_too_slow"


DIGEST = hashlib.sha256(b"x")
ENCODED = base64.b64encode(DIGEST.digest()).decode()


@pytest.mark.parametrize(
    "header",
    [f"sha-256=:{ENCODED}:", f"sha-512=:abc=:, sha-256=:{ENCODED}:", f"SHA-256 = :{ENCODED}: , md5=:x:"],
)
def test_digests_are_found(header: str) -> None:
    assert expected_sha256(header) == DIGEST.hexdigest()


@pytest.mark.parametrize("header", [None, "", "sha-512=:abc=:", "unixsum=30637"])
def test_other_digests_are_left_aside(header: str | None) -> None:
    assert expected_sha256(header) is None


@pytest.mark.parametrize(
    "header",
    ["sha-256=", "sha-256=::", "sha-256=:eA==:", f"sha-256={ENCODED}", f"sha-256=:{ENCODED}", "sha-256=:!!:"],
)
def test_broken_digests_are_refused(header: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        expected_sha256(header)
    assert refused.value.code == "bad_digest"


@given(st.text())
def test_no_header_breaks_it(header: str) -> None:
    try:
        found = expected_sha256(header)
    except InvalidInput as error:
        assert error.code == "bad_digest"
    else:
        assert found is None or len(found) == 64
