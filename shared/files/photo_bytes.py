"""A photo's bytes, from the store or from where it lies, with every way this can fail named."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from nightshift.machine.places import path_of_text
from nightshift.words.error_codes import Code
from nightshift.words.errors import Transient, Unreadable
from shared.files.in_place import InPlace, open_unlinked
from shared.files.store import Store, photo_key

_NOT_THERE = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EACCES, errno.EPERM, errno.ENXIO}
)
_UNAVAILABLE = "it is gone, is no file (or a link), or may not be read"
"""One sentence for all: a client must not learn which files there are."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is to be known of a photo to find its bytes.

    Attributes:
        id: its own.
        in_place_path: where it lies, as text; None for an upload.
        sha256: of an upload's bytes, hex.
    """

    id: str
    in_place_path: str | None
    sha256: str | None


def read_photo(
    photo: Stored, store: Store, *, owner: str, job_id: str, max_bytes: int, in_place: InPlace
) -> bytes:
    """Read a photo whole.

    Raises:
        Unreadable: `file_unavailable`, `file_too_large`; `digest_mismatch` when the bytes are not
            those that were uploaded.
        Transient: `store_unavailable`, `file_read_error`: another attempt may succeed.
    """
    if photo.in_place_path is not None:
        return _read_in_place(path_of_text(photo.in_place_path), max_bytes, in_place)
    data = store.get(photo_key(owner, job_id, photo.id))
    if data is None:
        raise Unreadable(Code.FILE_UNAVAILABLE, "the store has no bytes of this photo")
    if hashlib.sha256(data).hexdigest() != photo.sha256:
        raise Unreadable(Code.DIGEST_MISMATCH, "the stored bytes are not those that were uploaded")
    return data


def _read_in_place(path: Path, max_bytes: int, in_place: InPlace) -> bytes:
    # It was resolved when it was registered: what is a link now was put there since, by whomever.
    try:
        if in_place.is_private(path):
            raise _unavailable()
        with open(open_unlinked(path), "rb") as file:  # noqa: PTH123 - a descriptor
            # A named pipe or a device would block for ever.
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _unavailable()
            data = file.read(max_bytes + 1)
    except OSError as error:
        if error.errno in _NOT_THERE:
            raise _unavailable() from error
        raise Transient(Code.FILE_READ_ERROR, f"it cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise _unavailable() from error
    if len(data) > max_bytes:
        raise Unreadable(Code.FILE_TOO_LARGE, f"over {max_bytes:,} bytes")
    return data


def _unavailable() -> Transient:
    # Perhaps for now: a share may come back within seconds, an editor is about to rename its new file.
    return Transient(Code.FILE_READ_ERROR, _UNAVAILABLE)
