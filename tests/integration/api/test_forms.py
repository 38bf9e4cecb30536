"""`POST /v1/jobs` with a form of photos."""

from __future__ import annotations

import base64
import hashlib
import io
import unicodedata

import pytest
from werkzeug.test import create_environ
from werkzeug.wrappers import Response

from nightshift.words.error_codes import Code
from tests.integration.api.conftest import Serve
from tests.support.forms import part, post_raw, raw_form
from tests.support.service import ROOT_KEY, Service

NAMES = [
    "IMG_0001.JPG",
    "evening/2/b.jpg",
    "../../etc/passwd.jpg",
    "/absolute.jpg",
    "new\nline.jpg",
    'quote".jpg',
    "semi;colon=.jpg",
    unicodedata.normalize("NFC", "Zoë.jpg"),
    unicodedata.normalize("NFD", "Zoë.jpg"),
    "写真.jpg",
    "x" * 296 + ".jpg",
]


def test_photos_come_in_with_one_request(service: Service) -> None:
    sent = service.send(
        ("a.jpg", b"photo a"), ("b/c.jpg", b"photo c"), label="party", priority="3", height="720",
        reuse="false", metadata='{"client": "Ada"}',
    )  # fmt: skip
    assert sent.status_code == 202, sent.text
    job = sent.json
    assert sent.headers["Location"] == job["links"]["self"] == f"/v1/jobs/{job['id']}"
    assert (job["state"], job["label"], job["priority"]) == ("queued", "party", 3)
    assert (job["options"]["height"], job["options"]["reuse"]) == (720, False)
    assert job["metadata"] == {"client": "Ada"}
    assert job["counts"]["queued"] == 2
    photos = service.photos(job["id"])
    assert list(photos) == ["a.jpg", "b/c.jpg"]
    assert photos["a.jpg"]["sha256"] == hashlib.sha256(b"photo a").hexdigest()
    assert service.doorbell.rings == 1
    assert len(service.stored()) == 2
    assert service.work() == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_a_label(service: Service, name: str) -> None:
    # As curl and browsers write names: quotes and line ends percent-encoded, bytes as UTF-8.
    written = name.replace('"', "%22").replace("\n", "%0A")
    body = raw_form(part("photos", b"photo", written))
    sent = post_raw(service, body)
    assert sent.status_code == 202, sent.text
    (shown,) = service.photos(sent.json["id"])
    assert shown == written.replace("%22", '"')
    assert all(path.startswith("local/job_") for path in service.stored())
    answer = service.get(sent.json["id"], "/results?format=csv")
    assert answer.status_code == 200


def test_two_normal_forms_of_a_name_are_two_photos(service: Service) -> None:
    names = [unicodedata.normalize(form, "Zoë.jpg") for form in ("NFC", "NFD")]
    sent = service.send(*((name, name.encode()) for name in names))
    assert list(service.codes(sent.json["id"])) == names


def test_a_name_that_comes_twice_loses_no_photo(service: Service) -> None:
    sent = service.send(
        ("a.jpg", b"photo 1"), ("a.jpg", b"photo 1"), ("a.jpg", b"photo 2"), ("b.jpg", b"photo 3")
    )
    codes = service.codes(sent.json["id"])
    assert codes == {"a.jpg": None, "a.jpg~1": "duplicate_custom_id", "b.jpg": None}
    # The same bytes twice are one photo, and are kept once.
    assert len(service.stored()) == 3
    assert service.work() == 2
    assert service.finish(sent.json["id"])
    assert service.job(sent.json["id"])["outcome"] == "partial"


def test_what_is_wrong_with_one_photo_fails_it_alone(serve: Serve) -> None:
    service = serve(max_photo_bytes=1000)
    digest = base64.b64encode(hashlib.sha256(b"photo").digest()).decode()
    body = raw_form(
        part("photos", b"photo", "good.jpg", f"Content-Digest: sha-256=:{digest}:"),
        part("photos", bytes(1001), "large.jpg"),
        part("photos", b"", "empty.jpg"),
        part("photos", b"other", "changed.jpg", f"Content-Digest: sha-256=:{digest}:"),
        part("photos", b"photo", "odd.jpg", "Content-Digest: sha-256=nonsense"),
    )
    sent = post_raw(service, body)
    assert sent.status_code == 202, sent.text
    assert service.codes(sent.json["id"]) == {
        "good.jpg": None,
        "large.jpg": "file_too_large",
        "empty.jpg": "unsupported_format",
        "changed.jpg": "digest_mismatch",
        "odd.jpg": "digest_mismatch",
    }
    assert len(service.stored()) == 1
    assert service.work() == 1


def test_a_job_whose_photos_all_failed_on_their_way_in_ends_at_once(serve: Serve) -> None:
    service = serve(max_photo_bytes=10)
    sent = service.send(("a.jpg", bytes(11)), ("b.jpg", bytes(11)))
    job = service.job(sent.json["id"])
    assert (job["state"], job["outcome"], job["counts"]["failed"]) == ("ended", "failed", 2)


def test_fields_may_come_after_the_photos(service: Service) -> None:
    sent = post_raw(service, raw_form(part("photos", b"photo", "a.jpg"), part("label", b"late")))
    assert (sent.status_code, sent.json["label"]) == (202, "late")


GOOD = part("photos", b"photo", "a.jpg")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b" ", 400, "bad_multipart"),
        (raw_form(), 422, "empty_upload"),
        (raw_form(part("photos", b"", "")), 422, "empty_upload"),
        (raw_form(part("label", b"x")), 422, "empty_upload"),
        (raw_form(GOOD, end=b""), 400, "bad_multipart"),
        (raw_form(GOOD)[:-40], 400, "bad_multipart"),
        (b"not a form at all", 400, "bad_multipart"),
        (raw_form(GOOD, b"no headers"), 400, "bad_multipart"),
        (raw_form(b"Content-Disposition: form-data\r\n\r\nx", GOOD), 400, "bad_multipart"),
        (raw_form(GOOD, part("label", b"\xff")), 400, "bad_multipart"),
        (raw_form(part("photos", b"photo", "")), 422, "bad_custom_id"),
        (raw_form(part("photos", b"photo", "x" * 1025)), 422, "bad_custom_id"),
        (raw_form(part("photos", b"photo", "\0.jpg")), 422, "bad_custom_id"),
        (raw_form(GOOD, part("pictures", b"photo", "b.jpg")), 422, "unknown_field"),
        (raw_form(GOOD, part("hieght", b"720")), 422, "invalid_fields"),
        (raw_form(GOOD, part("height", b"tall")), 422, "invalid_fields"),
        (raw_form(GOOD, part("height", b"7200")), 422, "invalid_fields"),
        (raw_form(GOOD, part("label", b"a"), part("label", b"b")), 422, "invalid_fields"),
        (raw_form(GOOD, part("label", b"\0")), 422, "invalid_fields"),
        (raw_form(GOOD, part("metadata", b"{")), 422, "invalid_fields"),
        (raw_form(GOOD, part("metadata", b"[" * 50_000)), 422, "invalid_fields"),
        (raw_form(GOOD, part("metadata", b'{"a": "' + bytes(20_000) + b'"}')), 422, "invalid_fields"),
        (raw_form(GOOD, part("metadata", b'{"a": NaN}')), 422, "invalid_fields"),
        (raw_form(GOOD, part("label", b"x" * 70_000)), 413, "field_too_large"),
        (raw_form(GOOD, *[part(f"f{n}", b"") for n in range(3)]), 422, "invalid_fields"),
        (raw_form(GOOD, part("archive", b"PK\x03\x04", "a.zip")), 422, "mixed_upload"),
        (b"x" * 800_000, 400, "bad_multipart"),
        (raw_form(GOOD) + b"x" * 800_000, 400, "bad_multipart"),
        (raw_form(GOOD, b"X-Long: " + b"x" * 800_000), 400, "bad_multipart"),
    ],
)  # fmt: skip
def test_a_form_that_is_refused_leaves_nothing(
    plain_service: Service, body: bytes, status: int, code: str
) -> None:
    before = (plain_service.client.get("/v1/jobs").json, plain_service.stored())
    refused = post_raw(plain_service, body)
    assert (refused.status_code, refused.json["code"]) == (status, code), refused.text
    assert refused.content_type == "application/problem+json"
    # What is wrong with fields is said of each.
    assert bool(refused.json.get("errors")) == (code == "invalid_fields")
    assert (plain_service.client.get("/v1/jobs").json, plain_service.stored()) == before


@pytest.mark.parametrize(
    ("content_type", "status", "code"),
    [
        ("multipart/form-data", 400, "bad_multipart"),
        ("multipart/form-data; boundary=", 400, "bad_multipart"),
        (f"multipart/form-data; boundary={'b' * 201}", 400, "bad_multipart"),
        ("multipart/mixed; boundary=b", 415, "unsupported_media_type"),
        ("application/zip", 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        ("image/jpeg", 415, "unsupported_media_type"),
        ("", 415, "unsupported_media_type"),
    ],
)
def test_other_content_types_are_refused(
    plain_service: Service, content_type: str, status: int, code: str
) -> None:
    refused = post_raw(plain_service, raw_form(GOOD), content_type)
    assert (refused.status_code, refused.json["code"]) == (status, code)


def test_limits_say_which_one_it_was(serve: Serve) -> None:
    service = serve(max_upload_photos=2, max_upload_bytes=2000)
    many = service.send(*((f"{n}.jpg", b"photo") for n in range(3)))
    assert (many.status_code, many.json["code"]) == (413, "too_many_photos")
    assert "NIGHTSHIFT_MAX_UPLOAD_PHOTOS" in many.json["detail"]
    large = service.send(("a.jpg", bytes(2001)))
    assert (large.status_code, large.json["code"]) == (413, "upload_too_large")
    assert "NIGHTSHIFT_MAX_UPLOAD_BYTES" in large.json["detail"]
    assert service.stored() == []


def test_a_store_that_fails_in_the_middle_leaves_the_rest_to_the_sweeper(service: Service) -> None:
    from nightshift.words.errors import Transient

    class Away:
        folder = None

        def put(self, key: str, data: object) -> None:
            raise Transient(Code.STORE_UNAVAILABLE, "no route to host")

    store = service.context.store
    service.replace(store=Away())
    refused = service.send(("a.jpg", b"photo"))
    service.replace(store=store)
    assert (refused.status_code, refused.json["code"]) == (503, "store_unavailable")
    assert service.client.get("/v1/jobs").json["jobs"] == []


def test_a_photo_is_written_as_it_comes(service: Service) -> None:
    """One chunk of a photo in hand at a time: the store has the first photo before the second was sent."""
    head = b"--b\r\n" + part("photos", b"photo 1", "1.jpg") + b"\r\n--b\r\n"
    tail = part("photos", b"photo 2", "2.jpg") + b"\r\n--b--\r\n"
    stored_before_tail: list[int] = []

    class Body(io.RawIOBase):
        def __init__(self) -> None:
            self.pieces = [head, tail]

        def read(self, size: int = -1) -> bytes:
            if len(self.pieces) == 1:
                stored_before_tail.append(len(service.stored()))
            return self.pieces.pop(0) if self.pieces else b""

    environ = create_environ("/v1/jobs", method="POST")
    environ.pop("CONTENT_LENGTH", None)
    environ.update({"wsgi.input": Body(), "wsgi.input_terminated": True, "REMOTE_ADDR": "127.0.0.1"})
    environ["HTTP_AUTHORIZATION"] = f"Bearer {ROOT_KEY}"
    environ["CONTENT_TYPE"] = "multipart/form-data; boundary=b"
    answer = Response.from_app(service.app, environ)
    assert answer.status_code == 202, answer.get_data()
    assert stored_before_tail == [1]
