from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from api.app import create_app
from nightshift.words.errors import ModelUnavailable
from shared.db.tables import Photo
from shared.settings import Settings
from tests.integration.api.conftest import Serve
from tests.support.service import Service

KEY = "a-key-of-ours-that-nobody-will-guess"


@pytest.fixture
def locked(serve: Serve) -> Service:
    return serve(api_key=KEY, host="0.0.0.0")


WRONG = (
    *(None, "", "Bearer", "Bearer ", f"Bearer {KEY[:-1]}", f"Bearer {KEY}!"),
    *(f"Basic {KEY}", KEY, "Bearer \u00e9"),
)


def test_without_the_key_nothing_of_v1_answers(locked: Service) -> None:
    for method, path in [
        ("GET", "/v1/jobs"), ("POST", "/v1/jobs"), ("GET", "/v1/jobs/job_1"), ("GET", "/v1/no-such-thing"),
        ("PUT", "/v1/jobs/job_1/photos?custom_id=a"),
    ]:  # fmt: skip
        for authorization in WRONG:
            headers = {} if authorization is None else {"Authorization": authorization}
            answer = locked.anybody.open(path, method=method, headers=headers)
            assert (answer.status_code, answer.json["code"]) == (401, "unauthorized"), (path, authorization)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            sent = (authorization or "").startswith("Bearer ") and authorization != "Bearer "
            assert ("no such key" in answer.json["detail"]) is sent, authorization
            assert KEY not in answer.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_with_the_key_also_from_afar(locked: Service, scheme: str) -> None:
    answer = locked.client.get(
        "/v1/jobs",
        headers={"Authorization": f"{scheme} {KEY}", "Host": "photos.example"},
        environ_base={"REMOTE_ADDR": "203.0.113.5"},
    )
    assert answer.status_code == 200


def test_a_key_of_any_letters(serve: Serve) -> None:
    key = "schlüssel-鍵" * 4
    service = serve(api_key=key)
    sent = key.encode().decode("latin-1")
    assert service.client.get("/v1/jobs", headers={"Authorization": f"Bearer {sent}"}).status_code == 200


def test_health_and_documents_need_no_key(locked: Service) -> None:
    for path in ("/healthz", "/readyz", "/openapi.json", "/docs"):
        assert locked.anybody.get(path).status_code in {200, 302}


def test_no_service_without_a_bundle(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="nowhere"):
        create_app(Settings(home=tmp_path, weights_dir=tmp_path, bundle="nowhere"))


IN_PLACE = {"photos": [{"custom_id": "a.jpg", "path": "/photos/a.jpg"}, {"custom_id": "b", "path": "/b"}]}


@pytest.fixture
def open_service(database_url: str, serve: Serve) -> Service:
    return serve(database_url=database_url, in_place_roots="/")


def test_photos_in_place_are_registered_and_not_touched(open_service: Service) -> None:
    job_id = open_service.open_job()
    first = open_service.client.post(f"/v1/jobs/{job_id}/photos/in-place", json=IN_PLACE)
    assert (first.status_code, first.json) == (200, {"added": 2, "total": 2})
    more = {"photos": [*IN_PLACE["photos"], {"custom_id": "c", "path": "/c"}]}
    again = open_service.client.post(f"/v1/jobs/{job_id}/photos/in-place", json=more)
    assert again.json == {"added": 1, "total": 3}
    photos = open_service.get(job_id, "/photos").json["photos"]
    assert [(photo["custom_id"], photo["sha256"]) for photo in photos] == [
        ("a.jpg", None),
        ("b", None),
        ("c", None),
    ]
    with open_service.database.read() as session:
        paths = session.scalars(select(Photo.in_place_path).order_by(Photo.ordinal)).all()
    assert paths == ["/photos/a.jpg", "/b", "/c"]
    assert open_service.stored() == []


REFUSED: list[tuple[list[dict[str, str]], int, str]] = [
    ([], 422, "invalid_fields"),
    ([{"custom_id": "a"}], 422, "invalid_fields"),
    ([{"custom_id": "a", "path": "/a\u0000"}], 422, "invalid_fields"),
    ([{"custom_id": "a", "path": "\ud800"}], 422, "invalid_fields"),
    ([{"custom_id": "a", "path": "/a"}] * 1001, 422, "invalid_fields"),
    ([{"custom_id": "n", "path": "/n"}, {"custom_id": "", "path": "/a"}], 422, "bad_custom_id"),
    ([{"custom_id": "n", "path": "/n"}, {"custom_id": "a", "path": "a"}], 422, "bad_path"),
    ([{"custom_id": "n", "path": "/n"}, {"custom_id": "taken", "path": "/2"}], 409, "custom_id_taken"),
    ([{"custom_id": "n", "path": "/n"}, {"custom_id": "uploaded", "path": "/2"}], 409, "custom_id_taken"),
    ([{"custom_id": "n", "path": "/1"}, {"custom_id": "n", "path": "/2"}], 409, "custom_id_taken"),
]


def test_a_registration_that_is_refused_adds_nothing(open_service: Service) -> None:
    job_id = open_service.open_job()
    url = f"/v1/jobs/{job_id}/photos/in-place"
    assert open_service.put(job_id, "uploaded").status_code == 201
    taken = {"photos": [{"custom_id": "taken", "path": "/1"}]}
    assert open_service.client.post(url, json=taken).json == {"added": 1, "total": 2}
    for photos, status, code in REFUSED:
        answer = open_service.client.post(url, json={"photos": photos})
        assert (answer.status_code, answer.json["code"]) == (status, code), photos
    assert open_service.job(job_id)["counts"]["total"] == 2


def test_a_sealed_job_takes_no_photo_in_place(open_service: Service) -> None:
    job_id = open_service.submitted_job("a")
    answer = open_service.client.post(f"/v1/jobs/{job_id}/photos/in-place", json=IN_PLACE)
    assert (answer.status_code, answer.json["code"]) == (409, "job_sealed")
    assert answer.json["state"] == "queued"


@pytest.mark.parametrize(
    ("settings", "headers", "peer"),
    [
        ({"in_place_roots": ""}, {}, "127.0.0.1"),
        ({}, {}, "203.0.113.5"),
        ({}, {}, ""),
        ({}, {"Host": "evil.example"}, "127.0.0.1"),
        ({}, {"Host": "127.0.0.1.evil.example:8080"}, "127.0.0.1"),
        ({}, {"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1"),
        ({}, {"Forwarded": "for=127.0.0.1"}, "127.0.0.1"),
        ({}, {"x-forwarded-proto": "https"}, "127.0.0.1"),
        ({}, {"Via": "1.1 proxy"}, "127.0.0.1"),
        ({}, {"X-Real-IP": "127.0.0.1"}, "127.0.0.1"),
        ({}, {"X-Client-IP": "127.0.0.1"}, "127.0.0.1"),
        ({}, {"True-Client-IP": "127.0.0.1"}, "127.0.0.1"),
        ({}, {"CF-Connecting-IP": "127.0.0.1"}, "127.0.0.1"),
    ],
)
def test_only_this_machine_itself_registers_in_place(
    serve: Serve, settings: dict[str, object], headers: dict[str, str], peer: str
) -> None:
    service = serve(**{"in_place_roots": "/", "api_key": KEY, **settings})
    headers = {"Authorization": f"Bearer {KEY}", **headers}
    job_id = service.client.post("/v1/jobs", json={}, headers={"Authorization": f"Bearer {KEY}"}).json["id"]
    answer = service.client.post(
        f"/v1/jobs/{job_id}/photos/in-place",
        json=IN_PLACE,
        headers=headers,
        environ_base={"REMOTE_ADDR": peer},
    )
    assert (answer.status_code, answer.json["code"]) == (403, "in_place_forbidden")


@pytest.mark.parametrize(
    ("host", "peer"),
    [
        ("127.0.0.1:8080", "127.0.0.1"),
        ("[::1]:8080", "::1"),
        ("LOCALHOST", "127.9.9.9"),
        ("localhost", "::ffff:127.0.0.1"),
    ],
)
def test_every_name_of_this_machine_will_do(serve: Serve, host: str, peer: str) -> None:
    service = serve(in_place_roots="/")
    answer = service.client.post(
        f"/v1/jobs/{service.open_job()}/photos/in-place",
        json=IN_PLACE,
        headers={"Host": host},
        environ_base={"REMOTE_ADDR": peer},
    )
    assert answer.status_code == 200
