"""Where the bytes of uploaded photos and all thumbnails are: a directory or a bucket.

Keys are `owner/job/photo`, never shared between jobs, so that erasing a job is deleting a prefix.
Built after any fork: obstore's runtime does not survive one.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from shared.errors import InvalidInput, Transient


def photo_key(owner: str, job_id: str, photo_id: str) -> str:
    """Key of an uploaded photo's bytes."""
    return f"{owner}/{job_id}/{photo_id}"


def thumbnail_key(owner: str, job_id: str, photo_id: str) -> str:
    """Key of a photo's thumbnail, WebP."""
    return f"{owner}/{job_id}/{photo_id}.thumbnail.webp"


class Store:
    """Objects by key."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        try:
            if parts.scheme == "file":
                Path(parts.path).mkdir(parents=True, exist_ok=True)
                self._store = LocalStore(parts.path)
            else:
                self._store = from_url(url)  # type: ignore[assignment]
        except (BaseError, OSError, ValueError) as error:
            raise InvalidInput("bad_setting", f"NIGHTSHIFT_STORE_URL: {error}") from error

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        """Write an object whole, or not at all: an error from the iterable leaves nothing behind.

        Raises:
            Transient: `store_unavailable`.
        """
        try:
            if isinstance(data, bytes):
                obstore.put(self._store, key, data)
            else:
                # Parts of 5 MiB; by default twelve of them would wait in memory for a slow store.
                obstore.put(self._store, key, iter(data), max_concurrency=2)
        except (BaseError, OSError) as error:
            raise Transient("store_unavailable", f"store: {error}") from error

    def get(self, key: str) -> bytes | None:
        """An object's bytes, None when there is none.

        Raises:
            Transient: `store_unavailable`.
        """
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise Transient("store_unavailable", f"store: {error}") from error

    def delete(self, key: str) -> None:
        """Delete an object if it is there.

        Raises:
            Transient: `store_unavailable`.
        """
        try:
            obstore.delete(self._store, key)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise Transient("store_unavailable", f"store: {error}") from error

    def ping(self) -> None:
        """Ask the store for anything.

        Raises:
            Transient: `store_unavailable`.
        """
        self.get("ping")
