"""Cursors, queries, JSON and forms that are nearly right, for a set time: every answer is one of ours."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote, quote_from_bytes

import pytest

from tests.support.archives_made import zip_of
from tests.support.client import Answer
from tests.support.forms import part, post_raw, raw_form
from tests.support.fuzzing import ODD_BYTES, ODD_VALUES, TIMES_S, Dice, mutated, rounds
from tests.support.service import Service

pytestmark = pytest.mark.timeout(900)


def is_sound(answer: Answer, *about: object) -> bool:
    """Whether it is a yes; a no has a name."""
    assert answer.status_code < 500, (about, answer.text)
    if answer.status_code >= 400:
        assert answer.content_type == "application/problem+json", about
        assert answer.json["code"], about
    return answer.status_code < 300


@TIMES_S
def test_cursors(service: Service, seconds: float) -> None:
    jobs = [service.submitted_job("a", "b", "c") for _ in range(2)]
    lists = ["/v1/jobs", *(f"/v1/jobs/{job_id}/photos" for job_id in jobs)]
    known = {path: service.client.get(f"{path}?limit=1").json["next"] for path in lists}
    for dice in rounds(seconds):
        path, whose = dice.choice(lists), dice.choice(lists)
        match dice.randrange(4):
            case 0:
                cursor = mutated(dice, known[whose].encode())
            case 1:
                inside = base64.urlsafe_b64decode(known[whose] + "==")
                cursor = base64.urlsafe_b64encode(mutated(dice, inside)).rstrip(b"=")
            case 2:
                document = json.dumps([dice.choice(ODD_VALUES) for _ in range(dice.randrange(3))])
                cursor = base64.urlsafe_b64encode(document.encode()).rstrip(b"=")
            case _:
                cursor = known[whose].encode()
        answer = service.client.get(f"{path}?cursor={quote_from_bytes(cursor)}")
        if is_sound(answer, path, cursor):
            # One of a place further on reads as well as any; each has one spelling.
            text = base64.urlsafe_b64decode(cursor + b"==").decode()
            assert base64.urlsafe_b64encode(text.encode()).rstrip(b"=") == cursor
            assert text.startswith("job " if path == "/v1/jobs" else f"photo {path.split('/')[3]} ")


def odd_query(dice: Dice) -> str:
    names = ("limit", "cursor", "state", "label", "status", "code", "custom_id", "until", "format", "x", "")
    values = ("1", "queued", "timeout", "2030-01-01T00:00:00Z", "csv", "true", "-1", "1_0", " 1 ", "%", "%zz")
    parts = []
    for _ in range(dice.randrange(5)):
        value = dice.choice(values) if dice.random() < 0.5 else quote_from_bytes(mutated(dice, b"photo.jpg"))
        parts.append(f"{dice.choice(names)}={value}")
    return "&".join(parts)


@TIMES_S
def test_queries(service: Service, seconds: float) -> None:
    job_id, open_id = service.submitted_job("a", "b"), service.open_job()
    asked = [("GET", "/v1/jobs"), ("POST", f"/v1/jobs/{job_id}/pause"), ("POST", f"/v1/jobs/{job_id}/retry")]
    asked += [("GET", f"/v1/jobs/{job_id}{part}") for part in ("", "/photos", "/results", "/summary")]
    asked += [("PUT", f"/v1/jobs/{open_id}/photos"), ("GET", "/v1/workers"), ("GET", "/healthz")]
    names = set()
    for dice in rounds(seconds):
        method, path = dice.choice(asked)
        query = odd_query(dice)
        answer = service.client.open(f"{path}?{query}", method=method, data=b"x" if method == "PUT" else None)
        if is_sound(answer, method, path, query) and method == "PUT":
            names.add(answer.json["custom_id"])
    assert set(service.photos(open_id)) == names


def odd_document(dice: Dice) -> dict[str, Any]:
    document: dict[str, Any] = {
        "label": "party",
        "priority": 3,
        "metadata": {"a": [1, {"b": None}]},
        "max_failure_rate": 0.5,
        "processing_window": "22:00-06:00 Europe/Berlin",
        "options": {"height": 720, "reuse": False, "min_confidence": 0.5, "tilt_threshold_deg": 5},
    }
    for _ in range(dice.randint(0, 3)):
        place = dice.choice([document, document["metadata"], document["options"]])
        name = dice.choice([*place, "x", "\x00", "\ud800"])
        if name not in {"metadata", "options"}:
            place[name] = dice.choice(ODD_VALUES)
    return document


@TIMES_S
def test_json_bodies(service: Service, seconds: float) -> None:
    for dice in rounds(seconds):
        raw = json.dumps(odd_document(dice)).encode()
        if dice.random() < 0.5:
            raw = mutated(dice, raw)
        answer = service.client.post("/v1/jobs", data=raw, content_type="application/json")
        if is_sound(answer, raw):
            # What was taken is told again, word for word, and every list that holds it can be read.
            sent = json.loads(raw)
            shown = service.client.get(f"/v1/jobs/{answer.json['id']}").json
            assert {name: shown[name] for name in sent if name != "options"} == {
                name: value for name, value in sent.items() if name != "options"
            }
            assert sent.get("options", {}).items() <= shown["options"].items()
    assert service.client.get("/v1/jobs?limit=1000").status_code == 200


@TIMES_S
def test_forms(service: Service, seconds: float) -> None:
    photos = raw_form(part("label", b"party"), part("height", b"720"), part("metadata", b'{"a": 1}'),
                      part("photos", b"one", "a.jpg"), part("photos", b"two", "b.jpg"))  # fmt: skip
    archive = raw_form(part("priority", b"3"), part("archive", zip_of({"a.jpg": b"one"}), "a.zip"))
    forms = (
        photos,
        archive,
        raw_form(b"Content-Disposition: form-data; name=photos; filename*=utf-8''a%C3%A4\r\n\r\nx"),
    )
    stored = service.stored()
    for dice in rounds(seconds):
        body = mutated(dice, dice.choice(forms))
        content_type = b"multipart/form-data; boundary=b"
        if dice.random() < 0.1:
            content_type = mutated(dice, content_type).replace(b"\n", b"").replace(b"\r", b"")
        answer = post_raw(service, body, content_type.decode("latin-1"))
        if is_sound(answer, body, content_type):
            assert service.client.get(answer.headers["Location"]).status_code == 200
            assert service.get(answer.json["id"], "/photos").status_code == 200
            stored = service.stored()
        # What is refused leaves nothing.
        assert service.stored() == stored, body


@TIMES_S
def test_headers(service: Service, seconds: float) -> None:
    job_id, open_id = service.submitted_job("a"), service.open_job()
    given = {
        "Accept": b"text/csv;q=0.5, application/x-ndjson",
        "Accept-Encoding": b"gzip;q=1.0, *;q=0",
        "Content-Digest": b"sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:",
        "Content-Type": b"application/json; charset=utf-8",
        "Host": b"localhost:8080",
        "Idempotency-Key": b"a key",
        "If-Modified-Since": b"Tue, 24 Nov 2026 00:00:00 GMT",
        "If-None-Match": b'W/"abc", "d"',
        "Prefer": b"respond-async, wait=0",
        "Range": b"bytes=0-10,20-",
    }
    asked: list[tuple[str, str, bytes | None]]
    asked = [("GET", f"/v1/jobs/{job_id}{part}", None) for part in ("", "/results", "/thumbnails")]
    asked += [("PUT", f"/v1/jobs/{open_id}/photos?custom_id={quote('ä')}", b"x"), ("POST", "/v1/jobs", b"{}")]
    for dice in rounds(seconds):
        method, path, data = dice.choice(asked)
        chosen = dice.sample(sorted(given), dice.randint(1, 4))
        # As WSGI has them; a server below lets neither line ends nor NULs through.
        headers = {
            name: mutated(dice, given[name] + dice.choice(ODD_BYTES))
            .translate(None, b"\r\n\x00")
            .decode("latin-1")
            for name in chosen
        }
        is_sound(service.client.open(path, method=method, data=data, headers=headers), path, headers)
