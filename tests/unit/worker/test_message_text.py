"""What people are told, and that no secret is among it."""

from __future__ import annotations

from typing import Any

import pytest

from nightshift.words.documents import Job, JobError, PhotoCounts
from nightshift.words.states import JobState, Outcome
from nightshift.words.webhooks import SCHEMES, check_receiver, shown_url
from worker.message_text import text_of, title_of
from worker.messages import without_secrets

COUNTS = PhotoCounts(total=1204, succeeded=1190, failed=14)


def _job(**fields: object) -> Job:
    plain: dict[str, object] = {"created_at": "2026-12-01T04:12:00Z"}
    plain |= {"id": "job_1", "label": "gala", "state": JobState.ENDED, "counts": COUNTS, "faces": 3411}
    return Job.model_validate(plain | {"outcome": Outcome.PARTIAL} | fields)


def test_it_has_the_counts_the_reasons_and_a_link() -> None:
    failures = {"corrupt_image": 10, "too_many_pixels": 4}
    assert text_of(_job(), failures, "https://photos.example.org/").split("\n") == [
        "1,204 photos: 1,190 succeeded, 14 failed; 3,411 faces",
        "Failed: 10 corrupt image, 4 too many pixels",
        "https://photos.example.org/#/jobs/job_1",
    ]
    assert text_of(_job(), {}, "").count("\n") == 0


def test_of_many_reasons_the_commonest_are_told() -> None:
    failures = {f"reason_{number}": number for number in range(1, 9)}
    (line,) = text_of(_job(), failures, "").split("\n")[1:]
    assert line.startswith("Failed: 8 reason 8, 7 reason 7")
    assert line.endswith(", 6 for other reasons")


@pytest.mark.parametrize(
    ("event", "fields", "title"),
    [
        ("job.ended", {}, "gala is done, but for some photos"),
        ("job.ended", {"outcome": None, "label": None}, "job_1 has ended"),
        ("job.failed_early", {}, "gala stops: too many photos fail"),
        ("job.progress", {"progress": 0.4}, "gala is 40% done"),
        ("job.expiring", {}, "gala will be erased"),
        (
            "job.expiring",
            {"results_expire_at": "2026-12-24T06:00:00Z"},
            "gala will be erased 2026-12-24 06:00 UTC",
        ),
        ("job.ended", {"label": "<!here> @all"}, "‹!here› ＠all is done, but for some photos"),  # noqa: RUF001
        ("job.ended", {"label": "a\nb\u202ec"}, "a\\nb\\u202ec is done, but for some photos"),
    ],
)
def test_its_title_says_what_has_happened(event: str, fields: dict[str, object], title: str) -> None:
    assert title_of(event, _job(**fields)) == f"Nightshift: {title}"


def test_why_a_job_was_ended_is_told_in_one_line() -> None:
    error = JobError.model_validate({"code": "too_many_failures", "message": "more than a half\nfailed"})
    assert text_of(_job(error=error), {}, "").split("\n")[1] == "more than a half\\nfailed"


def test_what_services_answer_has_no_part_of_the_url_in_it() -> None:
    url = "ntfys://ann%40x:p4ss%2Fw0rd@ntfy.example.org/My-Topic?token=tk_abc123"
    said = "ntfys://ann@x:p4ss/w0rd@ntfy.example.org/MY-TOPIC with tk_abc123 was refused, error=401."
    told = without_secrets(said, url)
    for part in ("p4ss", "w0rd", "example", "topic", "abc123"):
        assert part not in told.lower()
    assert told.endswith("was refused, error=401.")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_of_a_message_only_the_kind_is_shown(scheme: str) -> None:
    url = f"{scheme.upper()}://ann:secret@example.org/token?to=ben"
    assert check_receiver(url) == url
    assert shown_url(url) == shown_url(shown_url(url)) == f"{scheme}://***"
    assert shown_url("https://example.org/bell") == "https://example.org/bell"


def test_apprise_knows_every_scheme_and_uses_tls_for_each() -> None:
    pytest.importorskip("apprise")
    from apprise.manager_plugins import NotificationManager

    known: Any = NotificationManager()  # type: ignore[no-untyped-call]
    for scheme in SCHEMES:
        service = known[scheme]
        secure = service.secure_protocol or ()
        urls = [str(getattr(service, name, "")) for name in ("notify_url", "url", "api_url", "webhook_url")]
        assert scheme in secure or not any(url.startswith("http://") for url in urls), scheme
