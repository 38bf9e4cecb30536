"""Requests that no client of ours would make: refused by a name, and never an error of the server's own."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from api.parameters import SoughtQuery
from tests.support.forms import part, post_raw, raw_form
from tests.support.service import Service


def cursor_of(document: object) -> str:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


NO_CURSORS: list[object] = [
    *([True], [False], [None], [1.0], [1e308], [float("nan")], [float("inf")], [-1], [2**63], [10**100]),
    *([[1]], [{}], [1, 2], [], {}, {"0": 1}, 1, "1", True, None, ["1"], ["\x00"], ["\ud800", "job_1"]),
    *(["2026-11-24T00:00:00+00:00", True], ["2026-11-24T00:00:00+00:00", "job_1"], [True, "job_1"]),
    *(["0001-01-01T00:00:00+23:59", "job_1"], ["9999-12-31T23:59:59-23:59", "job_1"], [1, "job_1"]),
    *(b"photo  1", b"photo job_1 1", b"photo job_1 01", b"job 2026-11-24T00:00:00 job_1", b"photo x -1"),
    *(b"job 2026-11-24T00:00:00+01:00 job_1", b"job 9999-12-31T23:59:59.9999999+00:00 job_1", b"\xff", b""),
]


def test_no_cursor_is_believed_that_was_not_given_out(service: Service) -> None:
    job_id = service.submitted_job("a", "b", "c")
    for document in NO_CURSORS:
        for path in ("/v1/jobs", f"/v1/jobs/{job_id}/photos"):
            answer = service.client.get(path, query_string={"cursor": cursor_of(document)})
            assert (answer.status_code, answer.json["code"]) == (422, "bad_cursor"), (document, answer.text)


def test_a_cursor_is_of_its_list(service: Service) -> None:
    one, other = service.submitted_job("a", "b", "c"), service.submitted_job("a", "b", "c")
    photos = service.get(one, "/photos?limit=1").json["next"]
    jobs = service.client.get("/v1/jobs?limit=1").json["next"]
    assert service.get(one, f"/photos?cursor={photos}").json["photos"][0]["custom_id"] == "b"
    assert service.client.get(f"/v1/jobs?cursor={jobs}").json["jobs"][0]["id"] == one
    strangers = [f"/v1/jobs/{other}/photos?cursor={photos}", f"/v1/jobs/{one}/photos?cursor={jobs}"]
    strangers += [f"/v1/jobs?cursor={photos}", f"/v1/jobs?cursor={jobs}%3D", f"/v1/jobs?cursor={jobs}%0A"]
    for path in strangers:
        assert service.client.get(path).json["code"] == "bad_cursor", path


def test_a_parameter_that_is_not_known_is_refused_on_every_route(service: Service) -> None:
    job_id = service.submitted_job("a")
    photo_id = next(iter(service.photos(job_id).values()))["photo_id"]
    asked = 0
    for route in service.app.url_map.iter_rules():
        if route.rule.startswith("/v1/session/oidc"):
            continue  # there is none by default; and what a provider adds of its own must not stop its people
        path = route.rule.replace("<job_id>", job_id).replace("<photo_id>", photo_id)
        path = path.replace("<key_id>", "key_1").replace("<path:filename>", "css/swagger-ui.css")
        for method in (route.methods or set()) - {"OPTIONS"}:
            answer = service.client.open(path, method=method, query_string={"statsu": "failed"})
            assert answer.status_code == 422, (method, path)
            assert method == "HEAD" or answer.json["code"] == "unknown_parameter"
            asked += 1
    assert asked >= 40
    assert service.job(job_id)["state"] == "queued"


def test_the_refusal_names_what_is_known(plain_service: Service) -> None:
    job_id = plain_service.open_job()
    answer = plain_service.client.get("/v1/keys?limit=1")
    assert (answer.status_code, answer.json["known"]) == (422, [])
    answer = plain_service.get(job_id, "/results?lines=1")
    assert answer.json["known"] == sorted({*SoughtQuery.model_fields, "format", "limit", "cursor"})
    assert "lines" in answer.json["detail"]
    assert "format" in answer.json["detail"]
    known = plain_service.get(job_id, "/photos?statut=failed").json["known"]
    assert known == sorted({*SoughtQuery.model_fields, "cursor", "limit", "sort", "reverse"})
    assert "takes none" in plain_service.get(job_id, "/summary?x").json["detail"]


@pytest.mark.parametrize("query", ["limit=1&limit=2", "cursor=&cursor=", "limit=1&label=a&limit=1"])
def test_what_has_one_value_is_there_once(plain_service: Service, query: str) -> None:
    answer = plain_service.client.get(f"/v1/jobs?{query}")
    assert (answer.status_code, answer.json["code"]) == (422, "repeated_parameter")


def test_codes_may_be_several(service: Service) -> None:
    job_id = service.submitted_job("a")
    service.fail("timeout")
    service.finish(job_id)
    again = service.client.post(f"/v1/jobs/{job_id}/retry?code=timeout&code=worker_lost")
    assert again.status_code == 202, again.text


@pytest.mark.parametrize("name", ["%FF", "a%C3", "%ED%A0%80", "%C0%AF", "%F5%80%80%80", "ok%FFok", "%e4.jpg"])
def test_bytes_that_are_no_text_are_refused_and_not_folded_together(
    plain_service: Service, name: str
) -> None:
    service, job_id = plain_service, plain_service.open_job()
    url = f"/v1/jobs/{job_id}/photos?custom_id={name}"
    answer = service.client.put(url, data=b"x")
    assert (answer.status_code, answer.json["code"]) == (400, "not_utf8"), answer.text
    literal = service.client.put(f"/v1/jobs/{job_id}/photos?custom_id={quote(name)}", data=b"x")
    assert literal.status_code == 201
    assert list(service.photos(job_id)) == [name]
    for path in (f"/v1/jobs?label={name}", f"/v1/jobs?{name}=1", f"/v1/jobs/{job_id}/photos?code={name}"):
        assert service.client.get(path).json["code"] == "not_utf8", path


def test_raw_bytes_in_a_query_are_text_or_refused(plain_service: Service) -> None:
    environ = {"QUERY_STRING": "label=\xff"}
    assert plain_service.client.get("/v1/jobs", environ_overrides=environ).json["code"] == "not_utf8"
    environ = {"QUERY_STRING": "label=ä".encode().decode("latin-1")}
    assert plain_service.client.get("/v1/jobs", environ_overrides=environ).status_code == 200


@pytest.mark.parametrize(
    "disposition",
    [
        b'form-data; name="photos"; filename="\xff.jpg"',
        b"form-data; name=\"photos\"; filename*=utf-8''%FF.jpg",
        b"form-data; name=\"photos\"; filename*=UTF-8''a%C3.jpg",
        b"form-data; name=\"photos\"; filename*0*=utf-8''%FF; filename*1=.jpg",
        b"form-data; name*=utf-8''photos%FF; filename=\"a.jpg\"",
    ],
)
def test_names_in_forms_are_text_or_refused(plain_service: Service, disposition: bytes) -> None:
    refused = post_raw(plain_service, raw_form(b"Content-Disposition: " + disposition + b"\r\n\r\nx"))
    assert (refused.status_code, refused.json["code"]) == (400, "bad_multipart"), refused.text
    assert "UTF-8" in refused.json["detail"]


def test_a_name_that_has_the_replacement_character_keeps_it(service: Service) -> None:
    made = post_raw(service, raw_form(part("photos", b"x", "a\ufffd.jpg")))
    assert list(service.photos(made.json["id"])) == ["a\ufffd.jpg"]


def test_an_idempotency_key_is_text_or_refused(plain_service: Service) -> None:
    refused = plain_service.client.post("/v1/jobs", json={}, headers={"Idempotency-Key": "\xff"})
    assert (refused.status_code, refused.json["code"]) == (400, "not_utf8")
    word = "schlüssel".encode().decode("latin-1")
    assert (
        plain_service.client.post("/v1/jobs", json={}, headers={"Idempotency-Key": word}).status_code == 201
    )


@pytest.mark.parametrize(
    "body",
    [
        *({"priority": True}, {"priority": "5"}, {"priority": 1.5}, {"priority": None}, {"priority": [1]}),
        *({"max_failure_rate": True}, {"max_failure_rate": "0.5"}, {"max_failure_rate": {}}),
        *(
            {"options": {"height": True}},
            {"options": {"height": "720"}},
            {"options": {"min_confidence": False}},
        ),
        *(
            {"options": {"reuse": 1}},
            {"options": {"reuse": "true"}},
            {"options": {"tilt_threshold_deg": "1"}},
        ),
        *({"options": []}, {"options": None}, {"label": 5}, {"label": True}, {"processing_window": 22}),
    ],
)
def test_json_says_numbers_as_numbers_and_truths_as_truths(
    plain_service: Service, body: dict[str, Any]
) -> None:
    answer = plain_service.client.post("/v1/jobs", json=body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_fields"), answer.text


def test_a_whole_number_may_be_written_with_a_point(service: Service) -> None:
    job_id = service.open_job(
        priority=5.0, max_failure_rate=1, options={"height": 720.0, "min_confidence": 1}
    )
    job = service.job(job_id)
    assert (job["priority"], job["options"]["height"], job["options"]["min_confidence"]) == (5, 720, 1.0)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        *((b'{"label": "a", "label": "b"}', 400), (b'{"metadata": {"a": {"b": 1, "b": 2}}}', 400)),
        *(
            (b'{"label": "\xff"}', 400),
            (b'{"label": "\xed\xa0\x80"}', 400),
            ('{"label": "a"}'.encode("utf-16"), 400),
        ),
        *(
            (b'{"max_failure_rate": NaN}', 400),
            (b'{"priority": Infinity}', 400),
            (b'{"priority": 1e999}', 422),
        ),
        *((b'{"metadata": {"a": -Infinity}}', 400), (b'{"metadata": {"a": ' + b"9" * 5000 + b"}}", 400)),
        *((b'{"metadata": {"a": ' + b"[" * 65 + b"]" * 65 + b"}}", 422), (b"[" * 100_000, 400)),
        *((b'{"metadata": {"a": ' + b"[" * 900 + b"]" * 900 + b"}}", 422), (b'"{}"', 422), (b"null", 422)),
        (b'{"metadata": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}", 400),
    ],
)
def test_json_is_read_to_the_letter(plain_service: Service, raw: bytes, status: int) -> None:
    answer = plain_service.client.post("/v1/jobs", data=raw, content_type="application/json")
    assert answer.status_code == status, answer.text
    assert answer.json["code"] in {"bad_json", "invalid_fields"}


def test_deep_metadata_and_long_numbers_come_back(service: Service) -> None:
    metadata: dict[str, Any] = {"number": 10**300, "small": -(10**40), "deep": 1, "null": "\u0000"}
    for _ in range(62):
        metadata["deep"] = [metadata["deep"]]
    job_id = service.open_job(metadata=metadata)
    assert service.job(job_id)["metadata"] == metadata


@pytest.mark.parametrize(
    "zone",
    [
        *(
            "localtime",
            "posixrules",
            "Factory",
            "posix/Europe/Berlin",
            "right/Europe/Berlin",
            "europe/berlin",
        ),
        *(
            "EUROPE/BERLIN",
            "Europe/../Europe/Berlin",
            "./UTC",
            "../zoneinfo/UTC",
            "/UTC",
            "UTC/",
            "Europe//Berlin",
        ),
        *(
            "tzdata.zi",
            "zone.tab",
            "leapseconds",
            "leap-seconds.list",
            "+VERSION",
            "Europe",
            "UTC\x00",
            "\uff35\uff34\uff23",
        ),
    ],
)
def test_what_is_no_time_zone(plain_service: Service, zone: str) -> None:
    answer = plain_service.client.post("/v1/jobs", json={"processing_window": f"22:00-06:00 {zone}"})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_fields")
    assert answer.json["errors"][0]["field"] == "processing_window"


NO_MOMENTS = (
    *("9999-12-31T23:59:59Z", "9999-06-01T00:00:00-12:00", "99999-01-01T00:00:00Z", "1e400", "NaN", "9" * 40),
)


def test_moments_that_no_clock_shows(service: Service) -> None:
    job_id = service.submitted_job("a")
    for until in NO_MOMENTS:
        answer = service.client.post(f"/v1/jobs/{job_id}/pause", query_string={"until": until})
        assert (answer.status_code, answer.json["code"]) == (422, "invalid_fields"), answer.text


ODD_HEADERS = {
    "Accept": ["\xff", "text/csv;q=nan", "text/csv;q=1e999", "*/*;q=-1", ";;;", "text/csv;" * 500, "\t"],
    "If-None-Match": ["\xff", '"', 'W/"', "*", '"a", ' * 800, 'W/"\xe4"', "W/", ","],
    "Prefer": ["wait=999999999999", "wait=-1", "wait=\xb2", "wait=1e9", "wait=", "wait==1", "\xff", "wait=0"],
    "Range": ["bytes=0-", "bytes=-1", "bytes=9-1", "\xff", "bytes=" + "0-1," * 900, "pages=1-2"],
    "Content-Digest": ["\xff", "sha-256=", "sha-256=::", "sha-256=:\xff:", "sha-256=:AAAA:", "," * 500],
    "Content-Type": ["application/json; charset=\xff", "application/json;", "\xff", "multipart/form-data",
                     "multipart/form-data; boundary=\xff", "multipart/form-data; boundary*=utf-8''%FF"],
    "Idempotency-Key": ["\xff", "", "x" * 256, "\x01", "a\tb", "\xed\xa0\x80", '"'],
    "X-Request-Id": ["\xff", "x" * 4000],
    "Host": ["\xff", "[", "localhost:99999999", "[::1", "a@b", ""],
    "Content-Encoding": ["gzip", "\xff"],
    "Cookie": ["\xff", "=;=" * 300],
}  # fmt: skip


def test_odd_headers_are_no_error_of_ours(service: Service) -> None:
    job_id, open_id = service.submitted_job("a"), service.open_job()
    for header, value in ((header, value) for header, values in ODD_HEADERS.items() for value in values):
        for method, path, data in (
            ("GET", f"/v1/jobs/{job_id}", None),
            ("GET", f"/v1/jobs/{job_id}/results", None),
            ("GET", f"/v1/jobs/{job_id}/thumbnails", None),
            ("PUT", f"/v1/jobs/{open_id}/photos?custom_id=a", b"x"),
            ("POST", "/v1/jobs", b"{}"),
            ("GET", "/docs/swagger", None),
        ):
            given = {"Content-Type": "application/json", header: value}
            answer = service.client.open(path, method=method, data=data, headers=given)
            assert answer.status_code < 500, (method, path, header, value, answer.text)


ODD_IDS = (
    *(
        "job_%00",
        "job_%FF",
        "job_" + "0" * 6000,
        "job_%0A",
        "job_%E2%80%AE",
        "%6Aob_",
        "job_..%2F..",
        "job_\x7f",
    ),
    "job_%1B[2J",
)


def test_ids_of_odd_characters_are_of_nothing(service: Service) -> None:
    parts = (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/results"), ("GET", "/photos"))
    for job_id in ODD_IDS:
        for method, path in parts:
            answer = service.client.open(f"/v1/jobs/{job_id}{path}", method=method)
            assert answer.status_code in {400, 404}, answer.text
        assert service.client.delete(f"/v1/keys/{job_id.replace('job', 'key')}").status_code in {400, 404}
