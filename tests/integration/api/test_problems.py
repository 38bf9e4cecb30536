from __future__ import annotations

import json
import logging
import shutil
import threading
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import pytest

from api import health
from nightshift.words.error_codes import Code
from nightshift.words.errors import Transient
from shared.db.engine import Database
from tests.integration.api.conftest import Serve
from tests.support.fakes import BrokenDoorbell
from tests.support.queue_rows import seen
from tests.support.service import Service

SWAGGER_CSS = "/docs/swagger/css/swagger-ui.css"


@pytest.mark.parametrize(
    ("method", "path", "headers", "data", "status", "code"),
    [
        ("GET", "/nowhere", {}, b"", 404, "not_found"),
        ("GET", "/v1/nowhere", {}, b"", 404, "not_found"),
        ("DELETE", "/v1/jobs", {}, b"", 405, "method_not_allowed"),
        ("GET", SWAGGER_CSS, {"Range": "bytes=999999999-"}, b"", 416, "requested_range_not_satisfiable"),
        ("POST", "/v1/jobs", {}, b"", 415, "unsupported_media_type"),
        ("POST", "/v1/jobs", {"Content-Type": "text/plain"}, b"{}", 415, "unsupported_media_type"),
        ("POST", "/v1/jobs", {"Content-Type": "application/json"}, b"", 400, "bad_json"),
        ("POST", "/v1/jobs", {"Content-Type": "application/json"}, b'{"label": ', 400, "bad_json"),
        ("POST", "/v1/jobs", {"Content-Type": "application/json"}, b'{"label": "\xff"}', 400, "bad_json"),
        ("POST", "/v1/jobs", {"Content-Type": "application/json"}, b"[" * 200_000, 400, "bad_json"),
        ("POST", "/v1/jobs", {"Content-Type": "application/json"}, b" " * 17_000_000, 413, "body_too_large"),
    ],
)
def test_every_refusal_is_a_problem(
    plain_service: Service,
    method: str,
    path: str,
    headers: dict[str, str],
    data: bytes,
    status: int,
    code: str,
) -> None:
    answer = plain_service.client.open(path, method=method, headers=headers, data=data)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.json["status"] == status
    assert answer.json["code"] == code
    assert answer.json["type"].endswith(code)
    assert answer.json["title"]
    assert answer.json["detail"]
    assert "Allow" in answer.headers or status != 405


def test_paths_and_methods_that_are_not_there_are_told_in_words_of_ours(plain_service: Service) -> None:
    for method, path, words in [
        ("GET", "/v1/no-such-thing", "nothing at this path"),
        ("GET", "/elsewhere", "nothing at this path"),
        ("DELETE", "/v1/jobs", "does not take this method"),
    ]:
        answer = plain_service.client.open(path, method=method)
        assert words in answer.json["detail"], answer.text
        assert "URL" not in answer.text


def test_a_body_of_millions_of_values_is_refused_before_they_are_made(plain_service: Service) -> None:
    job_id = plain_service.open_job()
    path = f"/v1/jobs/{job_id}/photos/check"
    many = b'{"photos": [' + b",".join([b"[]"] * 1_000_000) + b"]}"
    tracemalloc.start()
    answer = plain_service.client.post(path, data=many, content_type="application/json")
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (answer.status_code, answer.json["code"]) == (400, "bad_json")
    # The body itself, and copies of it.
    assert peak_bytes < 8 * len(many)


def test_signs_within_names_are_not_counted(plain_service: Service) -> None:
    job_id = plain_service.open_job()
    names = [f'{number}{"[{,:" * 200}\\" end' for number in range(1000)]
    photos = [{"custom_id": name, "sha256": f"{number:064x}"} for number, name in enumerate(names)]
    answer = plain_service.client.post(f"/v1/jobs/{job_id}/photos/check", json={"photos": photos})
    assert answer.json["missing"] == names


LONG = 1_000_000 * "\u00e4"


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("", json.dumps({LONG: 1}), "invalid_fields"),
        ("", json.dumps({f"{number}": 1 for number in range(5000)}), "invalid_fields"),
        ("", f'{{"{LONG}": 1, "{LONG}": 2}}', "bad_json"),
        ("/photos/check", json.dumps({"photos": [{LONG: 1}]}), "invalid_fields"),
        ("/photos/in-place", json.dumps({"photos": [{"custom_id": "a", "path": LONG[:16_000]}]}), "bad_path"),
    ],
    ids=["key", "keys", "key twice", "key of a photo", "path"],
)
def test_of_what_was_sent_an_answer_repeats_little(
    plain_service: Service, path: str, body: str, code: str
) -> None:
    of = f"/{plain_service.open_job()}" if path else ""
    sent = {"data": body, "content_type": "application/json"}
    answer = plain_service.client.post(f"/v1/jobs{of}{path}", **sent)
    assert answer.json["code"] == code
    assert answer.json["detail"]
    assert len(answer.data) < 60_000


def test_what_is_wrong_with_a_long_name_is_still_said(plain_service: Service) -> None:
    answer = plain_service.client.post("/v1/jobs", json={f"first {LONG} last": 1})
    assert answer.json["detail"].startswith("first ")
    assert answer.json["detail"].endswith("last: is not known here")
    (error,) = answer.json["errors"]
    assert len(error["field"]) < 2100


def test_an_error_of_our_own_is_logged_and_not_told(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    service = serve()
    job_id = service.open_job()
    service.put(job_id, "a")
    service.replace(doorbell=BrokenDoorbell())
    with caplog.at_level(logging.ERROR):
        answer = service.post(job_id, "submit")
    assert (answer.status_code, answer.json["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert "ZeroDivisionError" not in answer.text
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    assert answer.json["request_id"] in {getattr(record, "request_id", "") for record in caplog.records}
    assert "the secret of the house" in caplog.text


class DownStore:
    def put(self, key: str, data: object) -> None:
        raise Transient(Code.STORE_UNAVAILABLE, "store: bucket secret-bucket away")

    folder = None

    def get(self, key: str) -> bytes | None:
        raise Transient(Code.STORE_UNAVAILABLE, "store: bucket secret-bucket away")

    def ping(self) -> None:
        self.get("ping")


def test_a_store_that_is_down(serve: Serve) -> None:
    service = serve()
    job_id = service.open_job()
    service.replace(store=DownStore())
    answer = service.put(job_id, "a")
    assert (answer.status_code, answer.json["code"]) == (503, "store_unavailable")
    assert answer.headers["Retry-After"].isdigit()
    assert "secret-bucket" not in answer.text
    assert service.job(job_id)["counts"]["total"] == 0
    ready = service.client.get("/readyz")
    assert (ready.status_code, ready.json["checks"]["store"]) == (503, "down")


def test_ready_degraded_and_not_ready(service: Service) -> None:
    seen(service.database, "a")
    seen(service.database, "b", "sweeper")
    ready = service.client.get("/readyz")
    parts = dict.fromkeys(("database", "schema", "store", "broker", "folders"), "ok")
    fine = {**parts, "workers": 1, "sweepers": 1}
    assert (ready.status_code, ready.json) == (200, {"status": "ready", "checks": fine})
    service.doorbell.away = True
    degraded = service.client.get("/readyz")
    assert (degraded.status_code, degraded.json["status"]) == (200, "degraded")
    assert degraded.json["checks"]["broker"] == "down"
    assert service.client.get("/healthz").json == {"status": "ok"}


def test_a_database_without_its_tables_is_not_ready(serve: Serve, tmp_path: Path) -> None:
    service = serve()
    service.replace(database=Database(f"sqlite:///{tmp_path / 'empty.db'}"))
    answer = service.client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (503, "unavailable")
    assert answer.json["checks"]["schema"] == "outdated"


def test_a_store_that_hangs_does_not_hang_the_probe(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE_S", 0.2)
    over = threading.Event()

    class Hangs:
        folder = None

        def ping(self) -> None:
            over.wait(60)

    service.replace(store=Hangs())
    try:
        for _ in range(8):
            answer = service.client.get("/readyz")
        assert (answer.status_code, answer.json["checks"]["store"]) == (503, "down")
        # Nobody else is made to look bad.
        monkeypatch.setattr(health, "PATIENCE_S", 5.0)
        assert service.client.get("/readyz").json["checks"]["database"] == "ok"
    finally:
        over.set()


@pytest.mark.parametrize("part", ["database", "store"])
def test_a_full_disk_is_not_ready(serve: Serve, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    service = serve()
    full = service.settings.home if part == "database" else service.settings.home / "store"
    real = shutil.disk_usage

    def usage(folder: Path) -> object:
        return SimpleNamespace(free=1_000_000, total=10**12) if folder == full else real(folder)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    answer = service.client.get("/readyz")
    other = "store" if part == "database" else "database"
    assert (answer.status_code, answer.json["checks"][part], answer.json["checks"][other]) == (
        503,
        "full",
        "ok",
    )


def test_a_database_that_is_down_is_not_ready(serve: Serve, tmp_path: Path) -> None:
    service = serve()
    for url in ("postgresql+psycopg://nobody:secret@127.0.0.1:1/none", f"sqlite:///{tmp_path}"):
        service.replace(database=Database(url))
        answer = service.client.get("/readyz")
        assert (answer.status_code, answer.json["checks"]["database"]) == (503, "down")
        assert "secret" not in answer.text
        assert service.client.get("/healthz").status_code == 200
