"""A photo's bytes on their way in: hashed, measured and checked while they pass."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator

from flask import Request

from shared.errors import InvalidInput

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


class PhotoBody:
    """The bytes of one photo, to be read once.

    Iterating raises before the end whenever the bytes are not to be kept, so that a store that
    writes whole or not at all keeps nothing.

    Args:
        read: gives up to so many bytes; empty at the end.
        length: bytes that were announced, None when they were not.
        limit: bytes a photo may have.
        sha256: hex digest the bytes must have, None when none was promised.
    """

    def __init__(
        self, read: Callable[[int], bytes], *, length: int | None, limit: int, sha256: str | None
    ) -> None:
        if length is not None and length > limit:
            raise _too_large(limit)
        self._read = read
        self._length = length
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
            InvalidInput: `body_cut_off`, `file_too_large`, `empty_upload`, `digest_mismatch`.
        """
        while chunk := self._next():
            self.size_bytes += len(chunk)
            if self.size_bytes > self._limit:
                raise _too_large(self._limit)
            self._hash.update(chunk)
            yield chunk
        # A server may end a cut-off body as if it were whole.
        if self._length is not None and self.size_bytes < self._length:
            raise InvalidInput("body_cut_off", f"{self.size_bytes} of {self._length} bytes arrived")
        if not self.size_bytes:
            raise InvalidInput("empty_upload", "the body is empty")
        if self._expected is not None and self._expected != self.sha256:
            raise InvalidInput("digest_mismatch", f"the bytes have sha256 {self.sha256}, not as promised")

    def _next(self) -> bytes:
        try:
            return self._read(CHUNK_BYTES)
        except Exception as error:
            # Each server and framework has its own, and not all are OSErrors.
            raise InvalidInput("body_cut_off", "the connection broke while the body was read") from error


def body_of(request: Request, limit: int) -> PhotoBody:
    """The body of a request.

    Raises:
        InvalidInput: `unsupported_media_type`, `bad_digest`, `file_too_large`.
    """
    if request.mimetype == "multipart/form-data":
        raise InvalidInput("unsupported_media_type", "send the photo's bytes as the body, not as a form")
    expected = expected_sha256(request.headers.get("Content-Digest"))
    return PhotoBody(request.stream.read, length=request.content_length, limit=limit, sha256=expected)


def _bad_digest() -> InvalidInput:
    return InvalidInput("bad_digest", "Content-Digest must read sha-256=:<base64 of 32 bytes>:")


def _too_large(limit: int) -> InvalidInput:
    return InvalidInput("file_too_large", f"a photo may have {limit} bytes")
