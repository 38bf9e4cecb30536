"""The store over a directory and over S3: the same promises."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from nightshift.words.errors import InvalidInput, Transient
from shared.files.store import Store, archive_key, photo_key, thumbnail_key
from tests.support.stores import S3Server

KEY = photo_key("anna", "job_1", "pho_1")


def keys(store: Store, prefix: str = "anna/job_1/") -> list[str]:
    return sorted(found.key for page in store.pages(prefix) for found in page)


def test_what_is_put_is_there_whole(store: Store) -> None:
    store.put(KEY, b"photo")
    store.put(thumbnail_key("anna", "job_1", "pho_1"), b"small")
    assert store.get(KEY) == b"photo"
    assert store.get(photo_key("anna", "job_1", "pho_2")) is None
    assert len(keys(store)) == 2
    assert keys(store, "anna/job_2/") == []


def test_a_stream_of_many_parts(store: Store) -> None:
    pieces = [os.urandom(1_000_000) for _ in range(13)]
    store.put(archive_key("anna", "job_1"), iter(pieces))
    with store.reader(archive_key("anna", "job_1")) as file:
        file.seek(12_500_000)
        assert file.read(10) == pieces[12][500_000:500_010]
        file.seek(0)
        assert file.read() == b"".join(pieces)


def test_a_stream_that_breaks_leaves_nothing(store: Store) -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(6_000_000)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.put(KEY, broken())
    assert store.get(KEY) is None
    assert keys(store) == []


def test_copy_delete_and_clear(store: Store) -> None:
    store.put(KEY, b"photo")
    other = photo_key("anna", "job_2", "pho_9")
    assert store.copy(KEY, other)
    assert not store.copy(photo_key("anna", "job_1", "none"), other)
    store.delete(KEY, photo_key("anna", "job_1", "none"))
    assert keys(store) == []
    assert store.get(other) == b"photo"
    for number in range(1203):
        store.put(photo_key("anna", "job_1", f"pho_{number}"), b"x")
    store.clear("anna/job_1/")
    assert keys(store) == []
    assert store.get(other) == b"photo"


def test_a_reader_of_nothing(store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        store.reader(KEY)


def test_a_store_that_is_there_answers(store: Store) -> None:
    store.ping()


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server


def test_a_missing_bucket_is_told(s3: S3Server) -> None:
    store = Store("s3://no-such-bucket/photos")
    for call in (store.ping, lambda: store.put(KEY, b"x")):
        with pytest.raises(Transient) as told:
            call()
        assert told.value.code == "store_unavailable"


def test_an_upload_that_breaks_leaves_no_part_behind(s3: S3Server) -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(12_000_000)
        raise ZeroDivisionError

    store = Store(s3.make_bucket("broken-uploads"))
    with pytest.raises(ZeroDivisionError):
        store.put(KEY, broken())
    assert "<Upload>" not in httpx.get(f"{s3.url}/broken-uploads?uploads").text


def test_a_server_that_is_away_is_transient_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = S3Server(tmp_path / "log")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    store = Store(server.make_bucket("photos"))
    store.put(KEY, b"x")
    server.stop()
    calls: list[Callable[[], object]] = [store.ping, lambda: store.get(KEY), lambda: store.put(KEY, b"x")]
    for call in calls:
        with pytest.raises(Transient) as told:
            call()
        assert told.value.code == "store_unavailable"
    server.start()
    try:
        server.make_bucket("photos")
        store.put(KEY, b"again")
        assert store.get(KEY) == b"again"
    finally:
        server.stop()


@pytest.mark.parametrize("url", ["s3://", "ftp://x/y", "nothing", "file://"])
def test_a_url_that_is_none_is_a_bad_setting(url: str) -> None:
    with pytest.raises(InvalidInput) as told:
        Store(url)
    assert told.value.code == "bad_setting"


def test_uploads_are_on_the_disk_before_they_are_promised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def record(fd: int) -> None:
        synced.append(os.path.relpath(Path(f"/proc/self/fd/{fd}").readlink(), tmp_path))
        real(fd)

    monkeypatch.setattr(os, "fsync", record)
    store = Store(f"file://{tmp_path}")
    store.put(KEY, b"photo")
    assert synced == ["anna/job_1/pho_1", "anna/job_1", "anna", "."]
    synced.clear()
    store.put(photo_key("anna", "job_1", "pho_2"), iter([b"photo"]))
    assert synced == ["anna/job_1/pho_2", "anna/job_1"]
    synced.clear()
    store.put(thumbnail_key("anna", "job_1", "pho_1"), b"small")
    assert synced == []
    store.copy(KEY, photo_key("anna", "job_3", "pho_1"))
    assert synced == ["anna/job_3/pho_1", "anna/job_3", "anna", "."]
    synced.clear()
    store.put(photo_key("anna", "job_2", "pho_1"), b"photo")
    assert synced == ["anna/job_2/pho_1", "anna/job_2", "anna", "."]
