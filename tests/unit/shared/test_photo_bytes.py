"""What was a file when it was registered may be anything by the time a worker reads it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from nightshift.words.errors import Transient
from shared.files.in_place import InPlace, open_unlinked
from shared.files.photo_bytes import Stored, read_photo
from shared.files.store import Store
from shared.settings import Settings


@pytest.fixture
def read(tmp_path: Path) -> Callable[[Path], bytes]:
    settings = Settings(home=tmp_path / "home")
    store = Store(settings.store_url)

    def read(path: Path) -> bytes:
        photo = Stored("pho_1", str(path), None)
        in_place = InPlace(settings, store.folder)
        return read_photo(photo, store, owner="anna", job_id="job_1", max_bytes=100, in_place=in_place)

    return read


def test_a_file_is_read(tmp_path: Path, read: Callable[[Path], bytes]) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a photo")
    assert read(tmp_path / "a.jpg") == b"a photo"


def test_what_is_no_file_any_more_is_one_and_the_same_failure(
    tmp_path: Path, read: Callable[[Path], bytes]
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a photo")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a.jpg")
    (tmp_path / "folder").symlink_to(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    stored = tmp_path / "home" / "store" / "ben" / "job_2" / "pho_2"
    stored.parent.mkdir(parents=True)
    stored.write_bytes(b"another's photo")
    messages = set()
    for path in (
        *(tmp_path / "none", tmp_path / "link.jpg", tmp_path / "folder" / "a.jpg", tmp_path / "loop"),
        *(tmp_path / "pipe", tmp_path, tmp_path / "a.jpg" / "b", stored, Path("/dev/null")),
    ):
        # It may come back, and is looked for again before it fails as file_unavailable.
        with pytest.raises(Transient) as failed:
            read(path)
        assert failed.value.code == "file_read_error"
        messages.add(failed.value.message)
    assert len(messages) == 1
    assert str(tmp_path) not in messages.pop()


def test_a_file_at_the_very_top() -> None:
    with pytest.raises(FileNotFoundError):
        open_unlinked(Path("/no-such-file"))
