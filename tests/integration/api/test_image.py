"""Photos at the size of a screen: drawn on request, by a process that may come to grief."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from PIL import Image

from api.drawing import AT_ONCE, WAITING, Drawing
from nightshift import Client
from nightshift.words.analysis import Analysis, Box
from nightshift.words.errors import InvalidInput
from shared.files.store import photo_key
from tests.integration.api.conftest import Serve
from tests.support.callers import Caller, caller
from tests.support.client import Answer
from tests.support.pictures.drawn import encoded, quadrants
from tests.support.queue_rows import analysis, face
from tests.support.service import ROOT_KEY, Service

SIZE = (3000, 2000)


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    return encoded(quadrants(*SIZE), "JPEG")


@pytest.fixture
def service(serve: Serve) -> Service:
    return serve()


def with_box(box: Box) -> Analysis:
    return analysis(replace(face(), box_norm=box))


def image(service: Service, job_id: str, custom_id: str = "a.jpg", query: str = "") -> Answer:
    photo_id = service.photos(job_id)[custom_id]["photo_id"]
    return service.get(job_id, f"/photos/{photo_id}/image{query}")


def put(service: Service, data: bytes, custom_id: str = "a.jpg") -> str:
    job_id = service.open_job()
    assert service.put(job_id, custom_id, data).status_code == 201
    service.post(job_id, "submit")
    return job_id


def assert_refused(answer: Answer, status: int, code: str) -> None:
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text


def test_a_photo_is_drawn_upright_at_the_size_of_a_screen(service: Service) -> None:
    turned = encoded(
        quadrants(*SIZE), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
    )
    job_id = put(service, turned)

    drawn = image(service, job_id)

    assert (drawn.status_code, drawn.content_type) == (200, "image/webp"), drawn.text
    assert drawn.headers["Cache-Control"] == "no-store"
    with Image.open(io.BytesIO(drawn.data)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (1067, 1600))


def test_boxes_are_drawn_where_the_faces_are_and_only_when_asked_for(service: Service, jpeg: bytes) -> None:
    job_id = put(service, jpeg)
    service.work(lambda _: with_box(Box(0.25, 0.25, 0.5, 0.75)))

    def colour(query: str, x: float, y: float) -> tuple[int, ...]:
        drawn = image(service, job_id, query=query)
        assert drawn.status_code == 200, drawn.text
        with Image.open(io.BytesIO(drawn.data)) as picture:
            assert picture.size == (1600, 1067)
            at = picture.convert("RGB").getpixel((round(x * 1600), round(y * 1067)))
        assert isinstance(at, tuple)
        return at

    for query in ("?boxes=1", "?boxes=true"):
        red, green, blue = colour(query, 0.25, 0.4)
        assert red > 200
        assert green > 160
        assert blue < 140
    assert colour("?boxes=1", 0.35, 0.4) == pytest.approx(colour("", 0.35, 0.4), abs=8)
    assert colour("?boxes=0", 0.25, 0.4) == colour("", 0.25, 0.4)


def test_what_is_no_wish_for_boxes_is_refused(service: Service, jpeg: bytes) -> None:
    job_id = put(service, jpeg)
    for query in ("?boxes=yes", "?boxes=", "?boxes=2"):
        assert_refused(image(service, job_id, query=query), 422, "invalid_fields")
    assert_refused(image(service, job_id, query="?side=9"), 422, "unknown_parameter")


def test_a_photo_in_place_is_read_where_it_is_and_missed_when_it_is_gone(
    serve: Serve, tmp_path: Path, jpeg: bytes
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(jpeg)
    service = serve(in_place_roots=str(folder))
    job_id = service.open_job()
    body = {"photos": [{"custom_id": "a.jpg", "path": str(folder / "a.jpg")}]}
    assert service.client.post(f"/v1/jobs/{job_id}/photos/in-place", json=body).status_code == 200

    assert image(service, job_id).status_code == 200

    (folder / "a.jpg").rename(folder / "b.jpg")
    assert_refused(image(service, job_id), 404, "file_unavailable")
    (folder / "a.jpg").symlink_to("/etc/passwd")
    gone = image(service, job_id)
    assert_refused(gone, 404, "file_unavailable")
    assert "passwd" not in gone.text


def test_a_photo_whose_bytes_were_deleted_is_missed(service: Service, jpeg: bytes) -> None:
    job_id = put(service, jpeg)
    photo_id = service.photos(job_id)["a.jpg"]["photo_id"]
    service.context.store.delete(photo_key("local", job_id, photo_id))
    assert_refused(image(service, job_id), 404, "file_unavailable")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"no photo at all", "unsupported_format"),
        (encoded(quadrants(640, 480), "JPEG")[:600], "corrupt_image"),
        (encoded(Image.new("1", (20_000, 20_000)), "PNG"), "too_many_pixels"),
    ],
)
def test_what_a_worker_would_refuse_is_refused_with_the_same_word(
    service: Service, data: bytes, code: str
) -> None:
    assert_refused(image(service, put(service, data)), 422, code)


def test_what_ends_the_process_that_draws_costs_that_answer_alone(service: Service, jpeg: bytes) -> None:
    job_id = put(service, jpeg)
    for signal, status, code in (
        ("SIGSEGV", 422, "corrupt_image"),
        ("SIGPROF", 422, "timeout"),
        ("SIGKILL", 503, "out_of_memory"),
        # What does not start is nobody's photo's fault.
        ("", 500, "internal"),
    ):
        program = f"import os, signal; os.kill(os.getpid(), signal.{signal})" if signal else "import none"
        service.replace(drawing=Drawing(service.settings, [sys.executable, "-c", program]))
        assert_refused(image(service, job_id), status, code)
    service.replace(drawing=Drawing(service.settings))
    assert image(service, job_id).status_code == 200


def test_an_api_without_decoders_says_so(
    service: Service, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = put(service, jpeg)
    monkeypatch.setattr("api.drawing.NEEDED", ("PIL", "no_such_package"))
    assert_refused(image(service, job_id), 409, "drawing_not_installed")


def test_few_are_drawn_at_once_and_few_wait(
    service: Service, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.drawing.WAIT_S", 0.01)
    job_id = put(service, jpeg)
    places = [service.context.drawing.place() for _ in range(AT_ONCE)]
    for place in places:
        place.__enter__()
    busy = image(service, job_id)
    assert_refused(busy, 503, "drawing_busy")
    assert int(busy.headers["Retry-After"]) > 0
    for _ in range(WAITING):
        assert service.context.drawing._door.acquire(blocking=False)
    assert_refused(image(service, job_id), 503, "drawing_busy")
    for _ in range(WAITING):
        service.context.drawing._door.release()
    for place in places:
        place.__exit__(None, None, None)
    assert image(service, job_id).status_code == 200


def test_only_the_owner_sees_it(root: Caller, jpeg: bytes) -> None:
    anna, ben = caller(root, "anna"), caller(root, "ben")
    job_id = anna("POST", "/v1/jobs", json={}).json["id"]
    photo = anna("PUT", f"/v1/jobs/{job_id}/photos?custom_id=a.jpg", data=jpeg).json
    path = f"/v1/jobs/{job_id}/photos/{photo['photo_id']}/image"

    assert anna("GET", path).status_code == 200
    assert_refused(ben("GET", path), 404, "job_not_found")
    assert_refused(caller(root, "anna", "operator")("GET", path), 403, "scope_missing")
    assert_refused(caller(root, "anna", "metrics")("GET", path), 403, "scope_missing")
    assert root.service.anybody.get(path).status_code == 401
    missing = f"/v1/jobs/{job_id}/photos/pho_1/image"
    assert_refused(anna("GET", missing), 404, "photo_not_found")


def test_the_client_fetches_it(service: Service, jpeg: bytes) -> None:
    job_id = put(service, jpeg)
    photo_id = service.photos(job_id)["a.jpg"]["photo_id"]
    transport = httpx.WSGITransport(app=service.app)
    with Client("http://localhost", ROOT_KEY, transport=transport) as client:
        with Image.open(io.BytesIO(client.photo_image(job_id, photo_id, boxes=True))) as picture:
            assert picture.size == (1600, 1067)
        with pytest.raises(InvalidInput) as refused:
            client.photo_image(job_id, "../..")
    assert refused.value.code == "photo_not_found"
