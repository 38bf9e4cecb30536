from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from rich.console import Console

from nightshift import sending, upload
from nightshift.client import Client
from nightshift.photos import FoundPhoto
from nightshift.sending import NotSent, name_not_sent, send_photos
from tests.support.answering_server import Answer, Received, serving


def found(*paths: Path) -> list[FoundPhoto]:
    return [FoundPhoto(path.name, path, path.parent) for path in paths]


def send(client: Client, photos: list[FoundPhoto]) -> NotSent:
    places = {photo.custom_id: place for place, photo in enumerate(photos)}
    return send_photos(client, "job_1", photos, Console(stderr=True), places)


def files(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).write_bytes(name.encode() * 100)
    return [folder / name for name in names]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(413, {"code": "file_too_large", "detail": "no"}), "too_large"),
        (Answer(422, {"code": "bad_custom_id", "detail": "no"}), "refused"),
        (Answer(400, {"code": "digest_mismatch", "detail": "no"}), "changed"),
        (Answer(409, {"code": "custom_id_taken", "detail": "no"}), "refused"),
    ],
)
def test_why_a_photo_was_not_sent(tmp_path: Path, answer: Answer, reason: str) -> None:
    good, bad, gone = (*files(tmp_path, "good.jpg", "bad.jpg"), tmp_path / "gone.jpg")

    def serve(asked: Received, _number: int) -> Answer:
        if asked.path.endswith("/photos/check"):
            return Answer(200, {"missing": ["good.jpg", "bad.jpg"]})
        return answer if "bad.jpg" in asked.path else Answer(201, PHOTO)

    with serving(serve) as server, Client(server.url, "k") as client:
        refused = send(client, found(good, bad, gone))
    assert refused == {"bad.jpg": reason, "gone.jpg": "unreadable"}


@pytest.mark.parametrize("change", [b"more", b""])
def test_a_large_file_that_changes_on_its_way_keeps_no_other_from_going(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: bytes
) -> None:
    monkeypatch.setattr(upload, "IN_MEMORY_BYTES", 10)
    paths = files(tmp_path, "a.jpg", "b.jpg")
    put: list[str] = []

    def serve(asked: Received, _number: int) -> Answer:
        if asked.path.endswith("/photos/check"):
            data = paths[0].read_bytes()
            paths[0].write_bytes(data + change if change else data[:-1])
            return Answer(200, {"missing": ["a.jpg", "b.jpg"]})
        put.append(asked.path)
        return Answer(201, PHOTO)

    with serving(serve) as server, Client(server.url, "k") as client:
        refused = send(client, found(*paths))
    assert refused == {"a.jpg": "changed"}
    assert any("b.jpg" in path for path in put)


def test_each_photo_says_where_it_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # One group after the other, so that it is known which one is asked about.
    monkeypatch.setattr(sending, "AT_ONCE", 1)
    paths = files(tmp_path, *(f"{number}.jpg" for number in range(6)))
    groups = iter([["0.jpg", "1.jpg", "2.jpg"], ["3.jpg", "4.jpg", "5.jpg"]])
    put: dict[str, int] = {}

    def serve(asked: Received, _number: int) -> Answer:
        if asked.path.endswith("/photos/check"):
            return Answer(200, {"missing": next(groups)})
        query = parse_qs(urlsplit(asked.path).query)
        put[query["custom_id"][0]] = int(query["place"][0])
        return Answer(201, PHOTO)

    with serving(serve) as server, Client(server.url, "k") as client:
        given = found(paths[0], tmp_path / "gone.jpg", *paths[1:])
        send(client, given)
    assert put == {"0.jpg": 0, "1.jpg": 2, "2.jpg": 3, "3.jpg": 4, "4.jpg": 5, "5.jpg": 6}
    bodies = [json.loads(asked.body) for asked in server.requests if asked.path.endswith("/photos/check")]
    assert put == {photo["custom_id"]: photo["place"] for body in bodies for photo in body["photos"]}


def test_a_file_that_cannot_be_read_is_named_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.jpg"
    with serving(lambda *_: Answer(200, {"missing": []})) as server, Client(server.url, "k") as client:
        send(client, found(path))
    assert f"not sent: {path}: No such file or directory (os_error)\n" in capsys.readouterr().err


def test_a_server_that_cannot_name_them_does_not_stop_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    with (
        serving(lambda *_: Answer(404, {"code": "not_found", "detail": "nothing here"})) as server,
        Client(server.url, "k") as client,
    ):
        name_not_sent(client, "job_1", {"a": "refused"}, {"a": 0})
        name_not_sent(client, "job_1", {}, {})
    assert capsys.readouterr().err.count("will not name what was not sent") == 1


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("nightshift.connection.FIRST_PAUSE_S", 0.001)
    yield


PHOTO: dict[str, object] = {
    "custom_id": "a", "photo_id": "pho_1", "path": None, "root": None, "sha256": None, "status": "queued",
    "width": None, "height": None, "exif_orientation": None, "scale": None, "taken_at": None,
    "camera_make": None, "camera_model": None, "low_confidence_faces": None, "attempts": 0, "history": [],
    "reused": False, "timings_ms": None, "precision": None, "bundle": None, "warnings": [], "error": None,
    "faces": [], "format_version": 1,
}  # fmt: skip
