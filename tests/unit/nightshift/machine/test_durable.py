"""File systems that lack something: shares, FUSE, sticks. What is lacking is told once, and gone without."""

import errno
import fcntl
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from nightshift.embedded.home import Home, make_private_folder
from nightshift.machine import durable
from nightshift.machine.durable import replace_file, sync
from nightshift.machine.home import LOCK
from nightshift.machine.root_key import found_root_key, made_root_key
from nightshift.machine.whole_files import create_whole, put_in_place, replacing
from nightshift.words.errors import Conflict
from shared.files.store import Store

LACKING = [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EACCES]


@pytest.fixture(autouse=True)
def _nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "_told", set())


def failing(number: int) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", LACKING, ids=errno.errorcode.get)
def test_results_are_written_where_nothing_can_be_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    monkeypatch.setattr(os, "fsync", failing(number))
    with caplog.at_level(logging.WARNING):
        for content in (b"first", b"second"):
            with replacing(tmp_path / "results.jsonl") as file:
                file.write(content)
    assert (tmp_path / "results.jsonl").read_bytes() == b"second"
    assert [path.name for path in tmp_path.iterdir()] == ["results.jsonl"]
    assert len([record for record in caplog.records if "files through" in record.message]) == 1
    assert len([record for record in caplog.records if "folders through" in record.message]) == 1


@pytest.mark.parametrize("number", LACKING, ids=errno.errorcode.get)
def test_a_key_is_kept_where_nothing_can_be_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "fsync", failing(number))
    key = made_root_key(tmp_path)
    assert found_root_key(tmp_path) == key
    assert [path.name for path in tmp_path.iterdir()] == ["api_key"]


def test_what_is_there_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, link in (("linked", os.link), ("written", failing(errno.EPERM))):
        monkeypatch.setattr(os, "link", link)
        assert create_whole(tmp_path / name, b"first", mode=0o600)
        assert not create_whole(tmp_path / name, b"second")
        assert (tmp_path / name).read_bytes() == b"first"
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"linked", "written"}


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_breaks_is_no_file_system_that_lacks_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    (tmp_path / "results.jsonl").write_bytes(b"earlier")
    monkeypatch.setattr(os, "fsync", failing(number))
    with pytest.raises(OSError, match=os.strerror(number)), replacing(tmp_path / "results.jsonl") as file:
        file.write(b"new")
    assert (tmp_path / "results.jsonl").read_bytes() == b"earlier"
    with pytest.raises(OSError, match=os.strerror(number)):
        sync(tmp_path)


def test_a_store_takes_photos_where_folders_cannot_be_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink().is_dir():
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    store = Store(f"file://{tmp_path}/store")
    store.put("local/job_1/pho_1", b"bytes")
    assert store.get("local/job_1/pho_1") == b"bytes"


def test_a_store_copies_where_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.files.store.obstore.copy", failing(errno.EPERM))
    store = Store(f"file://{tmp_path}/store")
    store.put("local/job_1/pho_1", b"bytes")
    assert store.copy("local/job_1/pho_1", "local/job_2/pho_2")
    assert store.get("local/job_2/pho_2") == b"bytes"
    monkeypatch.setattr("shared.files.store.obstore.copy", failing(errno.ENOENT))
    assert not store.copy("local/job_1/none", "local/job_2/pho_3")


@pytest.mark.parametrize("number", [errno.EEXIST, errno.EACCES, errno.EPERM])
def test_a_share_that_does_not_rename_over_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if target.exists():
            raise OSError(number, os.strerror(number))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    (tmp_path / "report.html").write_bytes(b"earlier")
    with replacing(tmp_path / "report.html") as file:
        file.write(b"new")
    assert (tmp_path / "report.html").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]

    (tmp_path / "other").write_bytes(b"newest")
    put_in_place(tmp_path / "other", tmp_path / "report.html")
    assert (tmp_path / "report.html").read_bytes() == b"newest"
    (tmp_path / "report.html").write_bytes(b"new")

    # The new one cannot take the place: the earlier one is there again.
    real_rename = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(errno.EIO, "Input/output error")
        return real_rename(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    (tmp_path / "new").write_bytes(b"newer")
    with pytest.raises(OSError, match="Input/output"):
        replace_file(tmp_path / "new", tmp_path / "report.html")
    assert (tmp_path / "report.html").read_bytes() == b"new"


def test_a_name_of_255_bytes_and_what_is_no_file(tmp_path: Path) -> None:
    with replacing(tmp_path / ("n" * 255)) as file:
        file.write(b"x")
    assert (tmp_path / ("n" * 255)).read_bytes() == b"x"
    with replacing(Path(os.devnull)) as file:
        file.write(b"x")
    assert Path(os.devnull).is_char_device()


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK, errno.EINVAL])
def test_a_home_where_nothing_can_be_locked_is_not_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(fcntl, "flock", failing(number))
    with Home(tmp_path / "home", "run"), pytest.raises(Conflict, match=str(os.getpid())):
        # POSIX locks do not part one process from itself; the other one's word does.
        monkeypatch.setattr(fcntl, "lockf", failing(number))
        Home(tmp_path / "home", "run").__enter__()
    with Home(tmp_path / "home", "run"):
        pass
    (tmp_path / "home" / LOCK).write_text("4194305 host/none/4194305.1\n")
    with pytest.raises(Conflict, match="4194305"):
        Home(tmp_path / "home", "run").__enter__()


def test_a_lock_that_is_held_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", failing(errno.EWOULDBLOCK))
    with pytest.raises(Conflict):
        Home(tmp_path / "home", "run").__enter__()


def test_a_home_where_modes_mean_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "chmod", failing(errno.EPERM))
    with Home(tmp_path / "home", "run"):
        make_private_folder(tmp_path / "home" / "run")
