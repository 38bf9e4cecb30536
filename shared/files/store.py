"""Where the bytes of uploaded photos and all thumbnails are: a directory or a bucket.

Keys are `owner/job/photo`, never shared between jobs, so that erasing a job is deleting a prefix.
Built after any fork: obstore's runtime does not survive one.
"""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from nightshift.machine.durable import sync
from nightshift.machine.places import path_of_file_url
from nightshift.machine.room import is_of_a_full_disk, require_room, store_full
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput, Transient


def photo_key(owner: str, job_id: str, photo_id: str) -> str:
    """Key of an uploaded photo's bytes."""
    return f"{owner}/{job_id}/{photo_id}"


def thumbnail_key(owner: str, job_id: str, photo_id: str) -> str:
    """Key of a photo's thumbnail, WebP."""
    return f"{owner}/{job_id}/{photo_id}.thumbnail.webp"


def archive_key(owner: str, job_id: str) -> str:
    """Key of the archive that a job's photos come from."""
    return f"{owner}/{job_id}/archive"


def job_prefix(owner: str, job_id: str) -> str:
    """What the keys of all of a job's objects begin with."""
    return f"{owner}/{job_id}/"


def _escaped(url: str) -> str:
    """A bucket's URL as people write it, `#` and `?` in its prefix taken for what they are."""
    scheme, _, rest = url.partition("://")
    bucket, slash, prefix = rest.partition("/")
    return f"{scheme}://{bucket}{slash}{quote(unquote(prefix))}"


_UNFINISHED = re.compile(r"#\d+$")
"""How obstore names a file until all of it is written; no listing shows it."""

MOST_SYNCED = 1000

Kind = Literal["original", "thumbnail", "archive"]


def kind_of(key: str) -> Kind:
    """What an object is, by its key."""
    if key.endswith(".thumbnail.webp"):
        return "thumbnail"
    return "archive" if key.endswith("/archive") else "original"


@dataclass(frozen=True, slots=True)
class Stored:
    """An object that is there.

    Attributes:
        key: its key.
        size_bytes: of its bytes.
        modified_at: when it was written, UTC.
    """

    key: str
    size_bytes: int
    modified_at: datetime


@contextmanager
def _translated(*, of_object: bool = True) -> Iterator[None]:
    """Raise the store's own errors as `Transient`.

    FileNotFoundError is left to the caller, but where no object is looked for: then it is the bucket's.
    """
    try:
        yield
    except (BaseError, OSError) as error:
        if of_object and isinstance(error, FileNotFoundError):
            raise
        if is_of_a_full_disk(error):
            raise store_full("no room for these bytes") from error
        raise Transient(Code.STORE_UNAVAILABLE, f"store: {error}") from error


def folder_of(url: str) -> Path | None:
    """Where a store is on this machine; None for a bucket.

    Raises:
        ValueError: a `file:` URL that names no folder of this machine.
    """
    return path_of_file_url(url) if url.startswith("file:") else None


class Store:
    """Objects by key. Every method raises `Transient` (`store_unavailable`) while it is out of reach.

    Attributes:
        folder: where it is on this machine; None for a bucket.
    """

    def __init__(self, url: str) -> None:
        # Jobs' folders whose names have been written.
        self._synced: set[Path] = set()
        try:
            self.folder = folder_of(url)
            if self.folder is not None:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._store = LocalStore(self.folder, automatic_cleanup=True)
            else:
                # Whether it is http at all says AWS_ENDPOINT_URL; by default a store that is away would be
                # waited for minutes, with a thread of the API or a worker's batch.
                self._store = from_url(  # type: ignore[assignment]
                    _escaped(url),
                    client_options={"allow_http": True, "timeout": "60s", "connect_timeout": "5s"},
                    retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
                )
        except (BaseError, OSError, ValueError) as error:
            raise InvalidInput(Code.BAD_SETTING, f"NIGHTSHIFT_STORE_URL: {error}") from error

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        """Write an object whole, or not at all: an error from the iterable leaves nothing behind.

        What has been put survives a power cut, thumbnails apart: they can be made again.

        Raises:
            NoRoom: `store_full` also before the disk is, see `nightshift.machine.room`.
        """
        require_room(self.folder, len(data) if isinstance(data, bytes) else 0)
        with _translated(of_object=False):
            if isinstance(data, bytes):
                obstore.put(self._store, key, data)
            else:
                # Parts of 5 MiB; by default twelve of them would wait in memory for a slow store.
                obstore.put(self._store, key, self._while_there_is_room(data), max_concurrency=2)
            if self.folder is not None and kind_of(key) != "thumbnail":
                self._sync(self.folder / key)

    def _while_there_is_room(self, data: Iterable[bytes]) -> Iterator[bytes]:
        for piece in data:
            require_room(self.folder, len(piece))
            yield piece

    def _sync(self, file: Path) -> None:
        """Have the disk itself write a file, and the names of it and of folders made for it."""
        job, owner = file.parent, file.parent.parent
        is_new = job not in self._synced
        for path in (file, job, owner, owner.parent) if is_new else (file, job):
            sync(path)
        if is_new:
            self._synced = {*self._synced, job} if len(self._synced) < MOST_SYNCED else {job}

    def get(self, key: str) -> bytes | None:
        """An object's bytes, None when there is none."""
        try:
            with _translated():
                return bytes(obstore.get(self._store, key).bytes())
        except FileNotFoundError:
            return None

    def reader(self, key: str) -> io.BufferedReader:
        """An object as a file to be read anywhere; one megabyte of it is in memory.

        Raises:
            FileNotFoundError: there is none.
        """
        with _translated():
            return io.BufferedReader(_ObjectFile(obstore.open_reader(self._store, key)), 64 * 1024)

    def copy(self, key: str, to: str) -> bool:
        """Copy an object within the store; False when there is none.

        Raises:
            NoRoom: `store_full`, as of `put`.
        """
        require_room(self.folder)
        try:
            with _translated():
                try:
                    obstore.copy(self._store, key, to)
                except (BaseError, OSError):
                    # In a folder it makes a link, which not every file system has.
                    if self.folder is None or not (self.folder / key).is_file():
                        raise
                    with (self.folder / key).open("rb") as source:
                        obstore.put(self._store, to, source)
                if self.folder is not None:
                    self._sync(self.folder / to)
        except FileNotFoundError:
            return False
        return True

    def delete(self, *keys: str) -> None:
        """Delete objects, those that are there."""
        try:
            with _translated():
                obstore.delete(self._store, list(keys))
        except FileNotFoundError:
            # Of several, the others are still to be deleted.
            if len(keys) > 1:
                for key in keys:
                    self.delete(key)

    def pages(self, prefix: str) -> Iterator[list[Stored]]:
        """What there is under a prefix that ends with `/`, some hundreds at a time."""
        with _translated(of_object=False):
            for page in obstore.list(self._store, prefix, chunk_size=500):
                yield [
                    Stored(str(entry["path"]), int(entry["size"]), entry["last_modified"]) for entry in page
                ]

    def folders(self, prefix: str = "") -> list[str]:
        """Prefixes of the next level, each ending with `/`: owners, or with `owner/` their jobs."""
        with _translated():
            found = obstore.list_with_delimiter(self._store, prefix or None)
            return [f"{folder}/" for folder in found["common_prefixes"]]

    def clear(self, prefix: str) -> None:
        """Delete everything under a prefix that ends with `/`."""
        # Looked up anew each time: a listing does not outlive what it lists.
        while page := next(self.pages(prefix), None):
            self.delete(*(found.key for found in page))
        if self.folder is not None:
            # What a process that was killed in the middle of a write left is in no listing.
            shutil.rmtree(self.folder / prefix, ignore_errors=True)

    def drop_unfinished(self, prefix: str) -> None:
        """Delete what processes that were killed while they wrote left under a prefix.

        To be called when nobody writes there. Of directories only: a bucket's own rules clear away
        uploads that were never completed.
        """
        if self.folder is not None:
            with suppress(OSError):
                for path in (self.folder / prefix).iterdir():
                    if _UNFINISHED.search(path.name):
                        path.unlink(missing_ok=True)

    def ping(self) -> None:
        """Ask the store for anything.

        Raises:
            Transient: `store_unavailable`, also when there is no such bucket.
        """
        # A listing, since one object fewer and a bucket fewer look alike.
        next(self.pages("ping/"), None)


class _ObjectFile(io.RawIOBase):
    """obstore's reader as Python's own kind of file, for libraries that read archives."""

    def __init__(self, file: obstore.ReadableFile) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        with _translated():
            data = self._file.read(len(buffer))
        buffer[: len(data)] = bytes(data)
        return len(data)
