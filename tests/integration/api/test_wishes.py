"""Whatever a client may wish of a job arrives, by JSON and by form, and is told again."""

from __future__ import annotations

from typing import Any

import pytest

from nightshift.words.errors import InvalidInput
from nightshift.words.new_job import NewJob
from nightshift.words.options import JobOptions
from tests.support.service import Service

WISHES: dict[str, Any] = {
    "label": "party",
    "priority": 3,
    "metadata": {"run": 1, "of": ["a", None]},
    "max_failure_rate": 0.25,
    "processing_window": "22:00-06:00 Europe/Berlin",
    "deadline": "2226-12-24T06:00:00Z",
    "notify": [
        {
            "url": "https://example.org/bell?a=1",
            "events": ["job.ended", "job.progress"],
            "progress_percent": 25,
        }
    ],
    "options": {
        "min_confidence": 0.95,
        "min_face_px": 40,
        "height": 720,
        "tilt_threshold_deg": 5.0,
        "reuse": False,
        "delete_originals": True,
        "pairs": "both",
        "preview_px": 1600,
    },
}


def test_there_is_a_wish_of_every_kind() -> None:
    assert WISHES.keys() == NewJob.model_fields.keys()
    assert WISHES["options"].keys() == JobOptions.model_fields.keys()


@pytest.mark.parametrize("wish", [NewJob.of(**WISHES), NewJob.of(label="a"), NewJob()])
def test_a_form_says_what_json_says(wish: NewJob) -> None:
    assert NewJob.of_form(wish.as_form()) == wish
    assert NewJob.of(**wish.as_json()) == wish


def test_a_job_is_as_it_was_wished(service: Service) -> None:
    assert service.client.post("/v1/webhooks/secrets").status_code == 201
    by_json = service.client.get(f"/v1/jobs/{service.open_job(**WISHES)}").json
    form: dict[str, Any] = NewJob.of(**WISHES).as_form()
    sent = service.send(("a.jpg", b"a"), **form)
    assert sent.status_code == 202, sent.text
    for job in (by_json, sent.json):
        assert {name: job[name] for name in WISHES} == WISHES


def test_what_is_not_wished_is_as_the_server_is_configured() -> None:
    configured = JobOptions(height=500, min_face_px=99)
    wish = NewJob.of(options={"height": 720}).over(configured)
    assert (wish.options.height, wish.options.min_face_px) == (720, 99)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"priority": 1001}, "priority"),
        ({"priority": True}, "priority"),
        ({"options": {"hieght": 1}}, "options.hieght"),
        ({"colour": "red"}, "colour"),
        ({"processing_window": "22-6"}, "processing_window"),
        ({"notify": [{"url": "http://example.org/"}]}, "notify.0.url"),
        ({"notify": [{"url": "https://a:b@example.org/"}]}, "notify.0.url"),
        ({"notify": [{"url": "https:///path"}]}, "notify.0.url"),
        ({"notify": [{"url": "https://example.org/#here"}]}, "notify.0.url"),
        ({"notify": [{"url": "https://example.org:99999/"}]}, "notify.0.url"),
        ({"notify": [{"url": "https://b\u00fccher.example/"}]}, "notify.0.url"),
        ({"notify": [{"url": "https://example.org/", "events": []}]}, "notify.0.events"),
        ({"notify": [{"url": "https://example.org/", "events": ["job.eaten"]}]}, "notify.0.events"),
        ({"notify": [{"url": "https://example.org/", "progress_percent": 0}]}, "notify.0.progress_percent"),
        ({"notify": [{"url": "https://example.org/"}] * 2}, "notify"),
        ({"notify": [{"url": f"https://example.org/{n}"} for n in range(6)]}, "notify"),
        ({"metadata": {"half": "\ud800"}}, "metadata"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_before_it_is_sent(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput, match=named) as refused:
        NewJob.of(**fields)
    assert refused.value.code == "invalid_fields"
