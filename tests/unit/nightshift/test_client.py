import base64
import hashlib
import inspect
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from nightshift import ApiError, Client, InvalidInput, Unreachable, UploadCut
from nightshift.calls import Calls
from nightshift.client import ResultsFormat
from nightshift.connection import ATTEMPTS, LONGEST_PAUSE_S
from tests.support.answering_server import Answer, Received, serving
from tests.support.answers_made import job, photo, problem

LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


def test_a_job_is_opened_with_key_options_and_metadata() -> None:
    with serving(lambda *_: Answer(201, job("open"))) as server, Client(server.url, "secret") as client:
        opened = client.create_job(label="party", options={"reuse": False}, metadata={"run": 1})
    assert opened.id == "job_1" and not opened.ended
    [request] = server.requests
    assert request.headers["authorization"] == "Bearer secret"
    assert json.loads(request.body) == {
        "label": "party",
        "options": {"reuse": False},
        "metadata": {"run": 1},
    }


def test_models_are_listed_broken_ones_too() -> None:
    broken = {"name": "b", "error": {"code": "bundle_format", "message": "m"}}
    listed = {"in_use": {"name": "a", "sha256": "0"}, "models": [{"name": "a", "in_use": True}, broken]}
    with serving(lambda *_: Answer(200, listed)) as server, Client(server.url) as client:
        first, second = client.models()
    assert (first.name, first.in_use, first.error) == ("a", True, None)
    assert second.error is not None and second.error.code == "bundle_format"
    assert server.requests[0].path == "/v1/models"


def test_a_card_is_asked_for_by_name_and_of_one_of_two() -> None:
    card = {"name": "a/b c", "in_use": False, "not_said": ["training", "something newer"]}
    with serving(lambda *_: Answer(200, card)) as server, Client(server.url) as client:
        shown = client.model("a/b c")
        again = client.model(shown)
        client.model(shown, in_use=True)
    assert shown == again and shown.not_said == ["training", "something newer"]
    asked = [request.path for request in server.requests]
    assert asked == [f"/v1/models/a%2Fb%20c{query}" for query in ("", "?in_use=false", "?in_use=true")]


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_photo_is_sent_with_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_memory: bool
) -> None:
    monkeypatch.setattr("nightshift.upload.IN_MEMORY_BYTES", 100 if in_memory else 2)
    (tmp_path / "a b.jpg").write_bytes(b"bytes")
    with serving(lambda *_: Answer(201, photo("x/a b.jpg"))) as server, Client(server.url) as client:
        sent = client.put_photo("job_1", "x/a b.jpg", tmp_path / "a b.jpg")
    assert sent.custom_id == "x/a b.jpg"
    [request] = server.requests
    assert parse_qs(urlsplit(request.path).query) == {"custom_id": ["x/a b.jpg"]}
    assert request.body == b"bytes"
    digest = base64.b64encode(hashlib.sha256(b"bytes").digest()).decode()
    assert request.headers["content-digest"] == f"sha-256=:{digest}:"


def test_a_connection_cut_during_an_upload_points_at_the_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightshift.connection.FIRST_PAUSE_S", 0.001)
    (tmp_path / "huge.jpg").write_bytes(b"x" * 20_000_000)
    with (
        serving(lambda *_: Answer(hang_up=True)) as server,
        Client(server.url) as client,
        pytest.raises(UploadCut, match="check its limit"),
    ):
        client.put_photo("job_1", "huge.jpg", tmp_path / "huge.jpg")


def test_files_are_registered_a_thousand_at_a_time() -> None:
    def answer(_: Received, number: int) -> Answer:
        return Answer(200, {"added": [1000, 1000, 500][number], "total": 2500})

    with serving(answer) as server, Client(server.url) as client:
        added = client.register_in_place("job_1", ((f"{n}.jpg", Path(f"/p/{n}.jpg")) for n in range(2500)))
    assert added == 2500
    pages = [json.loads(request.body)["photos"] for request in server.requests]
    assert [len(page) for page in pages] == [1000, 1000, 500]
    assert pages[2][-1] == {"custom_id": "2499.jpg", "path": "/p/2499.jpg"}


def test_paths_may_be_text(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"bytes")
    named = str(tmp_path / "a.zip")
    documents = iter([photo("a"), job("queued"), {"added": 1, "total": 1}])
    with serving(lambda *_: Answer(200, next(documents))) as server, Client(server.url) as client:
        client.put_photo("job_1", "a", named)
        client.submit_archive(named)
        client.register_in_place("job_1", [("a", named, str(tmp_path))])
    assert [b"bytes" in request.body for request in server.requests] == [True, True, False]
    in_place = {"custom_id": "a", "path": named, "root": str(tmp_path)}
    assert json.loads(server.requests[2].body) == {"photos": [in_place]}
    with serving(lambda *_: Answer(200, body=b"\0" * 1024)) as server, Client(server.url) as client:
        assert client.save_thumbnails("job_1", f"{tmp_path}/thumbnails") == 0
    assert (tmp_path / "thumbnails").is_dir()


@pytest.mark.parametrize("given", [None, 3, b"a.jpg", "", "a\0b"])
def test_what_is_no_path_is_told(given: Any) -> None:
    with serving(lambda *_: Answer(500)) as server, Client(server.url) as client:
        for ask in (
            lambda: client.put_photo("job_1", "a", given),
            lambda: client.submit_archive(given),
            lambda: client.register_in_place("job_1", [("a", given)]),
            lambda: client.register_in_place("job_1", [("a", "/a", given or "")]),
            lambda: client.save_thumbnails("job_1", given),
        ):
            with pytest.raises(InvalidInput, match="no path") as refused:
                ask()
            assert refused.value.code == "bad_path"
    assert server.requests == []


def test_no_call_takes_a_path_and_no_text() -> None:
    hints = [
        (name, hint)
        for name, call in inspect.getmembers(Calls, inspect.isfunction)
        for hint in call.__annotations__.values()
        if not name.startswith("_") and re.search(r"\bPath\b", str(hint))
    ]
    assert len(hints) >= 4
    for name, hint in hints:
        assert len(re.findall(r"\bPath\b", hint)) == len(re.findall(r"\bstr \| Path\b", hint)), name


def test_photos_are_sought() -> None:
    with (
        serving(lambda *_: Answer(200, {"photos": [], "next": None})) as server,
        Client(server.url) as client,
    ):
        assert not list(client.photos("job_1", gender="female", age_group=["20-29", "65+"], min_faces=2))
    query = parse_qs(urlsplit(server.requests[0].path).query)
    assert query == {
        "limit": ["200"], "gender": ["female"], "age_group": ["20-29", "65+"], "min_faces": ["2"],
    }  # fmt: skip


def test_a_refusal_carries_the_problem() -> None:
    answer = problem(409, "illegal_move", state="ended")
    with (
        serving(lambda *_: answer) as server,
        Client(server.url) as client,
        pytest.raises(ApiError) as refused,
    ):
        client.resume("job_1")
    assert (refused.value.status, refused.value.code, refused.value.state) == (409, "illegal_move", "ended")


def test_a_refusal_by_something_else_is_named_by_its_status() -> None:
    with (
        serving(lambda *_: Answer(413, body=b"<html>")) as server,
        Client(server.url) as client,
        pytest.raises(ApiError, match="http_413"),
    ):
        client.job("job_1")


def test_a_busy_server_is_asked_again_when_that_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightshift.connection.FIRST_PAUSE_S", 0.001)

    def answer(_: Received, number: int) -> Answer:
        return problem(503, "database_unavailable") if number < 2 else Answer(202, job("queued"))

    with serving(answer) as server, Client(server.url) as client:
        assert client.submit("job_1").state == "queued"
    assert len(server.requests) == 3


def test_a_busy_server_is_given_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightshift.connection.FIRST_PAUSE_S", 0.001)
    with (
        serving(lambda *_: problem(503, "x")) as server,
        Client(server.url) as client,
        pytest.raises(ApiError),
    ):
        client.job("job_1")
    assert len(server.requests) == ATTEMPTS


def test_a_repeated_request_for_a_job_has_the_key_of_the_first() -> None:
    answers = iter([problem(503, "x"), problem(409, "x")])
    with (
        serving(lambda *_: next(answers)) as server,
        Client(server.url) as client,
        pytest.raises(ApiError),
    ):
        client.create_job()
    keys = [request.headers["idempotency-key"] for request in server.requests]
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert len(keys[0]) > 30


@pytest.mark.parametrize("as_archive", [False, True])
def test_a_job_whose_first_request_is_still_being_answered_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_archive: bool
) -> None:
    monkeypatch.setattr("nightshift.connection.FIRST_PAUSE_S", 0.001)
    (tmp_path / "party.zip").write_bytes(b"PK")
    answers = iter(
        [problem(409, "idempotency_key_in_use"), problem(429, "rate_limited"), Answer(201, job("open"))]
    )
    with serving(lambda *_: next(answers)) as server, Client(server.url) as client:
        made = client.submit_archive(tmp_path / "party.zip") if as_archive else client.create_job()
    assert made.state == "open"
    assert len(server.requests) == 3
    assert len({request.headers["idempotency-key"] for request in server.requests}) == 1


@pytest.mark.parametrize(
    ("status", "asked", "wanted_s"),
    [(429, "7", 7.0), (429, "nan", 0.0), (429, "-1", 0.0), (429, "1e9", LONGEST_PAUSE_S), (429, "soon", 0.0),
     (503, "7", 0.0)],
)  # fmt: skip
def test_a_server_that_limits_its_callers_says_when_to_come_again(
    status: int, asked: str, wanted_s: float
) -> None:
    refusal = problem(status, "x")
    refusal.headers["Retry-After"] = asked
    with (
        serving(lambda *_: refusal) as server,
        Client(server.url) as client,
        pytest.raises(ApiError) as refused,
    ):
        client.resume("job_1")
    assert refused.value.retry_after_s == wanted_s


def test_an_archive_is_sent_again_whole_with_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "party.zip"
    path.write_bytes(b"PK" + bytes(100_000))
    answers = iter(
        [problem(503, "x"), problem(409, "idempotency_key_in_use"), problem(413, "upload_too_large")]
    )
    with (
        serving(lambda *_: next(answers)) as server,
        Client(server.url) as client,
        pytest.raises(ApiError, match="upload_too_large"),
    ):
        client.submit_archive(path, label="x", options={"reuse": False, "height": 720}, metadata={"a": 1})
    assert len(server.requests) == 3
    assert len({request.headers["idempotency-key"] for request in server.requests}) == 1
    for request in server.requests:
        assert path.read_bytes() in request.body
        for field in (b'"reuse"\r\n\r\nfalse', b'"height"\r\n\r\n720', b'"label"\r\n\r\nx', b'{"a": 1}'):
            assert field in request.body


def test_no_server_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightshift.connection.FIRST_PAUSE_S", 0.001)
    with serving(lambda *_: Answer()) as server:
        pass
    with Client(server.url) as client, pytest.raises(Unreachable, match="no answer from"):
        client.job("job_1")
    with Client(server.url) as client:
        assert not client.is_ready()


def test_an_address_without_a_scheme_is_unreachable_at_once() -> None:
    with Client("localhost:8080") as client, pytest.raises(Unreachable):
        client.job("job_1")


def test_waiting_asks_for_changes_only() -> None:
    def answer(_: Received, number: int) -> Answer:
        etag = {"ETag": f'"{number}"'}
        return [Answer(200, job(), etag), Answer(304, headers=etag), Answer(200, job("ended"), etag)][number]

    with serving(answer) as server, Client(server.url) as client:
        seen = [seen.state for seen in client.poll("job_1", wait_s=7)]
    assert seen == ["running", "running", "ended"]
    asked = [(r.headers.get("prefer"), r.headers.get("if-none-match")) for r in server.requests]
    assert asked == [(None, None), ("wait=7", '"0"'), ("wait=7", '"1"')]


def test_listings_follow_the_cursor() -> None:
    def answer(request: Received, _: int) -> Answer:
        if "cursor=two" in request.path:
            return Answer(200, {"photos": [photo("c")], "next": None})
        return Answer(200, {"photos": [photo("a"), photo("b")], "next": "two"})

    with serving(answer) as server, Client(server.url) as client:
        listed = [photo.custom_id for photo in client.photos("job_1", status="succeeded")]
    assert listed == ["a", "b", "c"]
    assert all("status=succeeded" in request.path for request in server.requests)


def test_results_are_typed_line_by_line_or_saved_as_they_come() -> None:
    lines = "\n".join(json.dumps(photo(name)) for name in "ab") + "\n"

    def answer(request: Received, _: int) -> Answer:
        return Answer(200, body=b"csv" if request.headers["accept"] == "text/csv" else lines.encode())

    file = io.BytesIO()
    with serving(answer) as server, Client(server.url) as client:
        assert [line.custom_id for line in client.results("job_1")] == ["a", "b"]
        assert client.save_results("job_1", file, format="csv") == 3
    assert file.getvalue() == b"csv"


@pytest.mark.parametrize(("form", "path"), [("photos.csv", "photos.csv"), ("faces.csv", "faces.csv")])
def test_tables_are_saved_as_they_come(form: ResultsFormat, path: str) -> None:
    file = io.BytesIO()
    with serving(lambda *_: Answer(200, body=b"csv")) as server, Client(server.url) as client:
        assert client.save_results("job_1", file, format=form) == 3
    assert [request.path for request in server.requests] == [f"/v1/jobs/job_1/{path}"]


def test_a_face_is_typed() -> None:
    box = {"x1": 1, "y1": 2, "x2": 3, "y2": 4}
    points = {name: {"x": 1, "y": 2} for name in LANDMARKS}
    label = {"probability": 0.9, "probabilities": {}, "uncertain": False}
    face = {
        "index": 0,
        "box": box,
        "box_norm": box,
        "confidence": 0.99,
        "landmarks": points,
        "roll_deg": -12.5,
        "aligned": True,
        "size_px": 2.0,
        "gender": {"value": "female", **label},
        "age_group": {"label": "65+", "low": 65, "high": None, **label},
        "age_years": None,
    }
    body = json.dumps(photo("a", faces=[face])).encode()
    with serving(lambda *_: Answer(200, body=body)) as server, Client(server.url) as client:
        [line] = client.results("job_1")
    assert line.faces[0].gender.value == "female"
    assert line.faces[0].landmarks.nose.x == 1.0


def test_the_client_needs_the_base_installation_only() -> None:
    script = """
import sys
import nightshift, nightshift.cli
heavy = {"celery", "sqlalchemy", "alembic", "obstore", "redis", "flask", "torch", "numpy"}
print(sorted(heavy & set(sys.modules)))
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("asked", ["nan", "-1", "soon", "0"])
def test_a_server_may_ask_for_no_pause_that_cannot_be(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightshift.connection.FIRST_PAUSE_S", 0.001)
    refusal = problem(429, "rate_limited")
    refusal.headers["Retry-After"] = asked
    answers = iter([refusal, Answer(200, job("open"))])
    with serving(lambda *_: next(answers)) as server, Client(server.url) as client:
        assert client.job("job_1").state == "open"
