"""Files in place: within the roots, with the scope, never the service's own; of others nothing is told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from nightshift.machine.root_key import made_root_key
from shared.db.tables import Photo
from tests.integration.api.conftest import Serve
from tests.support.client import Answer
from tests.support.service import Service


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"a photo")
    return folder


@pytest.fixture
def service(photos: Path, serve: Serve) -> Service:
    return serve(in_place_roots=str(photos))


def register(service: Service, path: Path | str, **request: Any) -> Answer:
    body = {"photos": [{"custom_id": os.fspath(path), "path": os.fspath(path)}]}
    return service.client.post(f"/v1/jobs/{service.open_job()}/photos/in-place", json=body, **request)


def assert_forbidden(answer: Answer) -> None:
    assert (answer.status_code, answer.json["code"]) == (403, "in_place_forbidden"), answer.text


def test_what_lies_in_the_roots_is_registered_be_it_there_or_not(service: Service, photos: Path) -> None:
    for name in ("a.jpg", "none.jpg"):
        assert register(service, photos / name).status_code == 200
    assert register(service, "relative.jpg").json["code"] == "bad_path"


def test_what_no_file_can_be_called_is_as_good_as_gone(service: Service, photos: Path) -> None:
    for path in (photos / ("n" * 300), photos / ("n" * 300) / "a.jpg", photos / "a.jpg" / "b" / "c.jpg"):
        assert register(service, path).status_code == 200


def test_outside_of_the_roots_answers_are_the_same(service: Service, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "there.jpg").write_bytes(b"a secret")
    (photos / "link.jpg").symlink_to(tmp_path / "there.jpg")
    (photos / "folder").symlink_to(tmp_path)
    answers = [
        register(service, path)
        for path in (
            *(tmp_path / "there.jpg", tmp_path / "nowhere.jpg", "/etc/shadow", "/etc", photos.parent),
            *(f"{photos}/../there.jpg", f"{photos}-of-others/a.jpg", photos / "link.jpg"),
            *(photos / "folder" / "there.jpg", photos / "folder" / "nowhere.jpg"),
        )
    ]
    for answer in answers:
        assert_forbidden(answer)
    assert len({answer.get_data() for answer in answers}) == 1


def test_a_caller_without_the_scope_gets_that_answer_too(service: Service, photos: Path) -> None:
    made = service.client.post("/v1/keys", json={"name": "n", "scopes": ["submit", "read", "operator"]}).json
    headers = {"Authorization": f"Bearer {made['key']}"}
    answers = [register(service, photos / name, headers=headers) for name in ("a.jpg", "none.jpg")]
    answers.append(register(service, "/etc/shadow"))
    for answer in answers:
        assert_forbidden(answer)
    assert len({answer.get_data() for answer in answers}) == 1
    made = service.client.post("/v1/keys", json={"name": "n", "scopes": ["in_place"]}).json
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert register(service, photos / "a.jpg", headers=headers).status_code == 200


def test_no_file_of_the_service_is_registrable_whatever_the_roots(serve: Serve, tmp_path: Path) -> None:
    store = tmp_path / "kept" / "store"
    service = serve(in_place_roots="/", store_url=f"file://{store}", api_key="")
    made_root_key(service.settings.home)
    other = tmp_path / "other home"
    other.mkdir()
    for name in ("nightshift.db", "lock"):
        (other / name).touch()
    (tmp_path / "link").symlink_to(store)
    (tmp_path / "chain").symlink_to(tmp_path / "link")
    (tmp_path / "key.jpg").symlink_to(service.settings.home / "api_key")
    headers = {"Authorization": f"Bearer {(service.settings.home / 'api_key').read_text().strip()}"}
    job = service.anybody.post("/v1/jobs", json={}, headers=headers).json["id"]
    for path in (
        *(
            service.settings.home / name
            for name in ("api_key", "nightshift.db", "nightshift.db-wal", "logs/a")
        ),
        *(store / "anna" / "job_1" / "pho_1", tmp_path / "link" / "anna" / "x", tmp_path / "chain" / "x"),
        *(tmp_path / "key.jpg", other / "store" / "x", f"{tmp_path}/photos/../home/api_key"),
    ):
        body = {"photos": [{"custom_id": "x", "path": str(path)}]}
        assert_forbidden(service.anybody.post(f"/v1/jobs/{job}/photos/in-place", json=body, headers=headers))


def test_a_link_within_the_roots_is_resolved_once_and_for_all(service: Service, photos: Path) -> None:
    (photos / "latest").symlink_to(photos)
    assert register(service, photos / "latest" / "a.jpg").status_code == 200
    with service.database.read() as session:
        assert session.scalars(select(Photo.in_place_path)).all() == [os.path.realpath(photos / "a.jpg")]


def test_a_photo_says_where_it_lies_and_under_what_it_was_found(service: Service, photos: Path) -> None:
    (photos / "latest").symlink_to(photos)
    job_id = service.open_job()
    path, root = str(photos / "latest" / "a.jpg"), str(photos / "latest")
    body = {"photos": [{"custom_id": "a.jpg", "path": path, "root": root}]}
    assert service.client.post(f"/v1/jobs/{job_id}/photos/in-place", json=body).status_code == 200
    found = service.photos(job_id)["a.jpg"]
    assert (found["path"], found["root"]) == (os.path.realpath(photos / "a.jpg"), root)


@pytest.mark.parametrize("roots", ["photos", "[1]", "[", '{"a": 1}', '["photos"]'])
def test_roots_that_are_none_are_a_bad_setting(serve: Serve, roots: str) -> None:
    with pytest.raises(ValueError, match="in_place_roots"):
        serve(in_place_roots=roots)
