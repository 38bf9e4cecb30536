"""Headers of every kind of answer, so that nothing of a client runs, or is framed, in the service's name."""

from __future__ import annotations

import re

import pytest

from api.answer_headers import NOTHING_RUNS, USUAL
from shared.files.store import thumbnail_key
from tests.support.client import Answer
from tests.support.fakes import BrokenDoorbell
from tests.support.service import Service


def answers(service: Service) -> dict[str, Answer]:
    """One of every kind."""
    client = service.client
    job_id = service.submitted_job("a")
    photo_id = next(iter(service.photos(job_id).values()))["photo_id"]
    service.context.store.put(thumbnail_key("local", job_id, photo_id), b"RIFF")
    service.work()
    service.finish(job_id)  # else its counts, remembered for a second, change its ETag between two requests
    job = f"/v1/jobs/{job_id}"
    found = {
        path: client.get(path)
        for path in (
            *("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/swagger", "/nowhere"),
            *("/docs/swagger/js/swagger-ui-bundle.js", "/docs/swagger/images/swagger.svg"),
            *(
                "/docs/oauth2-redirect.html",
                "/v1/nowhere",
                "/v1/jobs",
                job,
                f"{job}/photos",
                f"{job}/results",
            ),
            *(f"{job}/results?format=csv", f"{job}/thumbnails", f"{job}/photos/{photo_id}/thumbnail"),
            *(
                f"{job}/summary",
                f"{job}/results?status=failed",
                "/v1/jobs?limit=x",
                "/v1/workers",
                "/v1/models",
            ),
        )
    }
    found["304"] = client.get(job, headers={"If-None-Match": found[job].headers["ETag"]})
    found["405"] = client.delete("/v1/jobs")
    found["415"] = client.post("/v1/jobs")
    found["400"] = client.post("/v1/jobs", data=b"{", content_type="application/json")
    found["OPTIONS"] = client.options(job)
    found["HEAD"] = client.head(f"{job}/results")
    found["401"] = client.get("/v1/jobs", headers={"Authorization": "Bearer wrong"})
    open_id = service.open_job()
    service.put(open_id, "b")
    service.replace(doorbell=BrokenDoorbell())
    found["500"] = service.post(open_id, "submit")
    return found


def test_options_are_answered_without_a_page(plain_service: Service) -> None:
    answer = plain_service.client.options("/v1/jobs")
    assert (answer.status_code, answer.data) == (204, b"")
    assert "Content-Type" not in answer.headers
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_every_answer_has_the_usual_headers(service: Service) -> None:
    found = answers(service)
    assert {answer.status_code for answer in found.values()} >= {
        200,
        302,
        304,
        400,
        401,
        404,
        405,
        415,
        422,
        500,
    }
    for what, answer in found.items():
        for name, usual in USUAL.items():
            assert name in answer.headers, (what, name)
            if name not in {"Cache-Control", "Content-Security-Policy"}:
                assert answer.headers.getlist(name) == [usual], (what, name)
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy, what
        assert policy == NOTHING_RUNS or answer.mimetype == "text/html", what
        assert "'unsafe" not in policy, what


def test_what_is_somebodys_own_is_kept_by_nobody_else(service: Service) -> None:
    for what, answer in answers(service).items():
        kept = answer.headers["Cache-Control"]
        assert "private" in kept or "no-store" in kept or what.startswith("/docs/"), (what, kept)


def test_a_thumbnail_is_a_picture_and_nothing_else(service: Service) -> None:
    found = next(answer for what, answer in answers(service).items() if what.endswith("/thumbnail"))
    assert (found.status_code, found.mimetype) == (200, "image/webp")
    assert re.fullmatch(r'inline; filename="pho_\w+\.webp"', found.headers["Content-Disposition"])
    assert "sandbox" in found.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/docs/swagger", "/docs/oauth2-redirect.html"])
def test_a_page_runs_the_scripts_it_was_delivered_with(plain_service: Service, path: str) -> None:
    answer = plain_service.client.get(path)
    assert "<script>" in answer.text
    assert "'sha256-" in answer.headers["Content-Security-Policy"]
