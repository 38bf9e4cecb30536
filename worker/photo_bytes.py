"""A photo's bytes, from the store or from where it lies, with every way this can fail named."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

from shared.errors import Transient, Unreadable
from shared.photo_names import path_spelled_out
from shared.places import path_of_text
from shared.queue.claim import ClaimedPhoto
from shared.store import Store, photo_key


def read_photo(photo: ClaimedPhoto, store: Store, *, owner: str, job_id: str, max_bytes: int) -> bytes:
    """Read a claimed photo whole.

    Raises:
        Unreadable: `file_unavailable`, `file_too_large`; `digest_mismatch` when the bytes are not
            those that were uploaded.
        Transient: `store_unavailable`, `file_read_error`: another attempt may succeed.
    """
    if photo.in_place_path is not None:
        return _read_in_place(path_of_text(photo.in_place_path), max_bytes)
    data = store.get(photo_key(owner, job_id, photo.id))
    if data is None:
        raise Unreadable("file_unavailable", "the store has no bytes of this photo")
    if hashlib.sha256(data).hexdigest() != photo.sha256:
        raise Unreadable("digest_mismatch", "the stored bytes are not those that were uploaded")
    return data


def _read_in_place(path: Path, max_bytes: int) -> bytes:
    try:
        # A named pipe or a device would block for ever.
        if not stat.S_ISREG(path.stat().st_mode):
            raise Unreadable("file_unavailable", f"{path_spelled_out(path)} is not a file")
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        # Perhaps for now: a share may come back within seconds, an editor is about to rename its new file.
        raise Transient("file_read_error", f"{path_spelled_out(path)} is gone") from error
    except PermissionError as error:
        raise Transient("file_read_error", f"{path_spelled_out(path)} may not be read") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Transient("file_read_error", f"{path_spelled_out(path)}: {reason}") from error
    if len(data) > max_bytes:
        raise Unreadable("file_too_large", f"over {max_bytes:,} bytes")
    return data
