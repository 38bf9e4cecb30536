"""Photos that the command sends into one job at several times are listed as they were given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from nightshift import Client
from nightshift.photos import Found, find_photos
from nightshift.sending import NotSent, first_place, name_not_sent, places_of, send_photos, shortened_name
from nightshift.words.analysis import PhotoError
from shared.queue.save import Failed
from tests.support.queue_rows import manifest, take
from tests.support.service import ROOT_KEY, Service

SILENT = Console(quiet=True)


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    way = httpx.WSGITransport(app=service.app, remote_addr="::1")
    with Client("http://localhost", ROOT_KEY, transport=way) as client:
        yield client


def folder(path: Path, *names: str) -> Found:
    path.mkdir()
    for name in names:
        (path / name).write_bytes(str(path / name).encode())
    return find_photos([path])


def send(client: Client, job_id: str, found: Found) -> None:
    places = places_of(found, first_place(client, job_id, found))
    name_not_sent(client, job_id, send_photos(client, job_id, found.photos, SILENT, places), places)


def listed(client: Client, job_id: str) -> list[str]:
    return [photo.custom_id for photo in client.photos(job_id)]


ONE = tuple(f"{letter}1.jpg" for letter in "abcdefghi")
TWO = tuple(f"{letter}2.jpg" for letter in "abcdefghi")


def test_a_second_folder_stands_behind_the_first(client: Client, tmp_path: Path) -> None:
    job = client.create_job()
    for found in (folder(tmp_path / "one", *ONE), folder(tmp_path / "two", *TWO)):
        send(client, job.id, found)
    assert listed(client, job.id) == [*ONE, *TWO]


@pytest.mark.parametrize("arrived", [(0, 1, 2), (1, 4, 8), (8,)])
def test_what_was_broken_off_goes_on_where_it_began(
    client: Client, tmp_path: Path, arrived: tuple[int, ...]
) -> None:
    one, two = folder(tmp_path / "one", *ONE), folder(tmp_path / "two", *TWO)
    job = client.create_job()
    for first, found in ((0, one), (len(ONE), two)):
        for at in arrived:
            client.put_photo(job.id, found.photos[at].custom_id, found.photos[at].path, first + at)
        assert first_place(client, job.id, found) == first
        send(client, job.id, found)
    assert listed(client, job.id) == [*ONE, *TWO]


def test_another_photo_of_the_same_name_is_none_of_these(client: Client, tmp_path: Path) -> None:
    job = client.create_job()
    send(client, job.id, folder(tmp_path / "one", *ONE))
    two = folder(tmp_path / "two", ONE[0], *TWO)
    assert first_place(client, job.id, two) == len(ONE)
    # It may be gone by then, too.
    two.photos[0].path.unlink()
    assert first_place(client, job.id, two) == len(ONE)


def test_a_job_names_what_was_not_sent_without_saying_which_bytes(client: Client, tmp_path: Path) -> None:
    one = folder(tmp_path / "one", *ONE)
    job = client.create_job()
    client.add_not_sent(job.id, {ONE[0]: "unreadable"})
    client.put_photo(job.id, ONE[1], one.photos[1].path, 1)
    assert first_place(client, job.id, one) == 0


def test_what_cannot_be_sent_is_listed_where_it_would_stand(client: Client, tmp_path: Path) -> None:
    job = client.create_job()
    send(client, job.id, folder(tmp_path / "one", *ONE))
    two = folder(tmp_path / "two", *TWO)
    two.photos[3].path.unlink()
    # A name that no job can hold.
    path = tmp_path / "two" / "e1" / "long.jpg"
    two.unnameable[path] = "e1/" + "long" * 500
    places = places_of(two, first_place(client, job.id, two))
    not_sent: NotSent = {shortened_name(path): "unnameable"}
    not_sent |= send_photos(client, job.id, two.photos, SILENT, places)
    name_not_sent(client, job.id, not_sent, places)
    wanted = [*ONE, *TWO[:4], shortened_name(path), *TWO[4:]]
    assert listed(client, job.id) == wanted
    failed = [photo.custom_id for photo in client.photos(job.id, status="failed")]
    assert failed == [TWO[3], shortened_name(path)]
    # Once more, they are where they were.
    assert first_place(client, job.id, two) == len(ONE)


@pytest.mark.parametrize(
    ("code", "copied"),
    [("timeout", True), ("corrupt_image", True), ("unsupported_format", False), ("digest_mismatch", False)],
)
def test_what_failed_is_had_again_by_rerun_where_its_bytes_are_kept(
    service: Service, client: Client, tmp_path: Path, code: str, copied: bool
) -> None:
    one = folder(tmp_path / "one", "a.jpg")
    job = client.create_job()
    send(client, job.id, one)
    client.submit(job.id)
    held = take(service.database, batch_size=1)
    assert held is not None
    (photo,) = held.photos
    assert photo.sha256
    failed = Failed(photo.id, PhotoError(code, "decode", "it is broken"), photo.sha256, 1)
    service.context.queue.save(held, [failed], bundle=manifest())
    service.finish(job.id)
    again = client.create_job()
    left_out = [] if copied else ["a.jpg"]
    assert client.missing_photos(again.id, {"a.jpg": photo.sha256}) == left_out
    assert listed(client, again.id) == [name for name in ("a.jpg",) if copied]


def test_of_a_job_that_was_cancelled_the_bytes_are_had_again(client: Client, tmp_path: Path) -> None:
    job = client.create_job()
    send(client, job.id, folder(tmp_path / "one", *ONE))
    client.submit(job.id)
    client.cancel(job.id)
    again = client.create_job()
    sent = {photo.custom_id: photo.sha256 for photo in client.photos(job.id) if photo.sha256}
    assert len(sent) == len(ONE)
    assert client.missing_photos(again.id, sent) == []
    assert listed(client, again.id) == [*ONE]
