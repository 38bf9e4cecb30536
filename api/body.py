"""Bytes on their way in: bounded, hashed and checked while they pass."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator

from flask import Request

from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput

CHUNK_BYTES = 256 * 1024

_SHA256 = re.compile(r"(?:^|,)\s*sha-256\s*=", re.IGNORECASE)
_SHA256_DIGEST = re.compile(_SHA256.pattern + r"\s*:([^:,]*):\s*(?:,|$)", re.IGNORECASE)


def expected_sha256(content_digest: str | None) -> str | None:
    """Hex digest that `Content-Digest` (RFC 9530) promises; other algorithms are left aside, as it allows.

    Raises:
        InvalidInput: `bad_digest`.
    """
    if content_digest is None:
        return None
    if not _SHA256.search(content_digest):
        return None
    found = _SHA256_DIGEST.search(content_digest)
    if found is None:
        raise _bad_digest()
    value = found.group(1)
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != 32:
        raise _bad_digest()
    return digest.hex()


class RequestBody:
    """A request's body, read once and piece by piece.

    Args:
        read: gives up to so many bytes; empty at the end.
        length: bytes that were announced, None when they were not.
        limit: bytes it may have.
    """

    def __init__(self, read: Callable[[int], bytes], *, length: int | None, limit: int) -> None:
        if length is not None and length > limit:
            raise _upload_too_large(limit)
        self._read = read
        self._length = length
        self._limit = limit
        self.size_bytes = 0

    def read(self) -> bytes:
        """The next piece, empty at the end.

        Raises:
            InvalidInput: `body_cut_off`, `upload_too_large`; `body_too_slow` of the server below.
        """
        try:
            piece = self._read(CHUNK_BYTES)
        except InvalidInput:
            raise
        except Exception as error:
            # Each server and framework has its own, and not all are OSErrors.
            raise InvalidInput(Code.BODY_CUT_OFF, "the connection broke while the body was read") from error
        self.size_bytes += len(piece)
        if not piece and self._length is not None and self.size_bytes < self._length:
            # A server may end a cut-off body as if it were whole.
            raise InvalidInput(Code.BODY_CUT_OFF, f"{self.size_bytes} of {self._length} bytes arrived")
        if self.size_bytes > self._limit:
            raise _upload_too_large(self._limit)
        return piece


class PhotoBody:
    """The bytes of one photo, to be read once.

    Iterating raises before the end whenever the bytes are not to be kept, so that a store that
    writes whole or not at all keeps nothing.

    Args:
        read: gives the next piece; empty at the end.
        limit: bytes a photo may have.
        sha256: hex digest the bytes must have, None when none was promised.
    """

    def __init__(self, read: Callable[[], bytes], *, limit: int, sha256: str | None) -> None:
        self._read = read
        self._limit = limit
        self._expected = sha256
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        """Hex digest of what has been read."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        """The bytes, in chunks.

        Raises:
            InvalidInput: `file_too_large`, `empty_upload`, `digest_mismatch`, or what reading raises.
        """
        while chunk := self._read():
            self.size_bytes += len(chunk)
            if self.size_bytes > self._limit:
                raise too_large(self._limit)
            self._hash.update(chunk)
            yield chunk
        if self._expected is not None and self._expected != self.sha256:
            raise InvalidInput(Code.DIGEST_MISMATCH, f"the bytes have sha256 {self.sha256}, not as promised")
        if not self.size_bytes:
            raise InvalidInput(Code.EMPTY_UPLOAD, "the file is empty")


def body_of(request: Request, limit: int) -> PhotoBody:
    """One photo as the body of a request.

    Raises:
        InvalidInput: `unsupported_media_type`, `bad_digest`, `file_too_large`.
    """
    if request.mimetype == "multipart/form-data":
        raise InvalidInput(Code.UNSUPPORTED_MEDIA_TYPE, "send the photo's bytes as the body, not as a form")
    coding = request.headers.get("Content-Encoding", "").strip().lower()
    if coding not in {"", "identity"}:
        message = f"send the photo's bytes as they are, not in the coding {coding!r}"
        raise InvalidInput(Code.UNSUPPORTED_MEDIA_TYPE, message)
    expected = expected_sha256(request.headers.get("Content-Digest"))
    length = request.content_length
    if length is not None and length > limit:
        raise too_large(limit)
    # The photo's own limit speaks first.
    body = RequestBody(request.stream.read, length=length, limit=limit + CHUNK_BYTES)
    return PhotoBody(body.read, limit=limit, sha256=expected)


def _bad_digest() -> InvalidInput:
    return InvalidInput(Code.BAD_DIGEST, "Content-Digest must read sha-256=:<base64 of 32 bytes>:")


def too_large(limit: int) -> InvalidInput:
    """A photo is over its limit, bytes."""
    return InvalidInput(Code.FILE_TOO_LARGE, f"a photo may have {limit:,} bytes (NIGHTSHIFT_MAX_PHOTO_BYTES)")


def _upload_too_large(limit: int) -> InvalidInput:
    message = f"a request may have {limit:,} bytes (NIGHTSHIFT_MAX_UPLOAD_BYTES)"
    return InvalidInput(Code.UPLOAD_TOO_LARGE, message)
