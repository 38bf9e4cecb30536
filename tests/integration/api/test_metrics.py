"""/metrics, /v1/workers and what /readyz says of the processes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from nightshift.machine.process_id import own_process_id
from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.states import PhotoStatus
from shared.processes import registry
from shared.queue.save import Failed, Saved, Succeeded
from tests.support.queue_rows import ahead, analysis, seen, take
from tests.support.service import Service
from tests.support.statements import statements_of
from worker.metrics import Metrics
from worker.registration import Registration


def samples(service: Service) -> dict[str, float]:
    answer = service.client.get("/metrics")
    assert answer.status_code == 200, answer.text
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = ",".join(sample.labels.values())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def worked(service: Service, name: str, photos: int = 2) -> Metrics:
    """A worker that has saved a batch with one failure."""
    metrics = Metrics()
    results = [Succeeded(f"pho_{n}", "0" * 64, 1, analysis()) for n in range(photos - 1)]
    failed = Failed("pho_x", PhotoError(Code.CORRUPT_IMAGE, "decode", "x"))
    saved = {result.photo_id: PhotoStatus.SUCCEEDED for result in results} | {"pho_x": PhotoStatus.FAILED}
    late = Succeeded("pho_late", "0" * 64, 1, analysis())
    metrics.count_batch([*results, failed, late], Saved(saved, lost=1), 0.3)
    seen(service.database, name, **metrics.document())
    return metrics


def test_what_waits_is_counted(service: Service) -> None:
    job_id = service.submitted_job("a", "b", "c")
    service.work(batch_size=1)
    # Within a second it would tell the counts of before.
    service.context.jobs.changed(job_id)
    service.open_job()
    found = samples(service)
    assert found["nightshift_photos{queued}"] == 2
    assert found["nightshift_photos{succeeded}"] == 1
    assert found["nightshift_jobs{running}"] == 1
    assert found["nightshift_jobs{open}"] == 1
    assert found["nightshift_oldest_queued_seconds"] > 0
    assert found["nightshift_broker_messages"] >= 1
    service.doorbell.away = True
    assert "nightshift_broker_messages" not in samples(service)


@pytest.mark.parametrize("by_their_counts", [500, 2, 0])
def test_photos_are_counted_in_whatever_way(
    service: Service, monkeypatch: pytest.MonkeyPatch, by_their_counts: int
) -> None:
    monkeypatch.setattr("shared.reads.load.MOST_JOBS", by_their_counts)
    jobs = [service.submitted_job(*names) for names in (("a", "b", "c"), ("a",), ("a", "b"))]
    service.work(batch_size=2)
    for job_id in jobs:
        service.context.jobs.changed(job_id)
    assert service.post(service.submitted_job("gone"), "cancel").status_code == 202
    found = samples(service)
    told = {status: found[f"nightshift_photos{{{status}}}"] for status in PhotoStatus}
    assert told == dict.fromkeys(PhotoStatus, 0) | {"queued": 4, "succeeded": 2}


def test_the_photos_of_a_large_job_are_not_counted_one_by_one(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.queue.counts.SMALL", 2)
    service.submitted_job("a", "b", "c")
    samples(service)
    monkeypatch.setattr("shared.reads.tally.FRESH_S", 0.0)
    with statements_of(service.context.database) as sent:
        assert samples(service)["nightshift_photos{queued}"] == 3
    assert not [statement for statement, _ in sent if "GROUP BY photos.status" in statement]


def test_counters_outlive_their_workers(service: Service) -> None:
    worked(service, "one"), worked(service, "two", 3)
    before = samples(service)
    assert before["nightshift_photos_done_total{succeeded}"] == 3
    assert before["nightshift_failures_total{corrupt_image}"] == 2
    assert before["nightshift_batch_photos_count"] == 2
    assert before["nightshift_batch_photos_sum"] == 7
    assert before["nightshift_stage_seconds_bucket{+Inf,decode}"] == 3
    with ahead(timedelta(hours=2)), service.database.write() as session:
        assert registry.fold_gone(session) == 2
        assert registry.fold_gone(session) == 0
    worked(service, "three")
    after = samples(service)
    assert after["nightshift_photos_done_total{succeeded}"] == 4
    assert all(after[name] >= value for name, value in before.items() if "_total" in name)
    listed = service.client.get("/v1/workers").json["workers"]
    assert [worker["id"] for worker in listed] == ["three"]


def test_a_worker_that_slept_for_hours_is_not_counted_twice(service: Service) -> None:
    metrics = Metrics()
    metrics.count("photos_done|succeeded", 5)
    registration = Registration(service.database, "sleeper", "worker", metrics, {})
    registration._beat()
    with ahead(timedelta(hours=2)), service.database.write() as session:
        registry.fold_gone(session)
    registration._beat()
    assert samples(service)["nightshift_photos_done_total{succeeded}"] == 5
    metrics.count("photos_done|succeeded")
    registration._beat()
    assert samples(service)["nightshift_photos_done_total{succeeded}"] == 6


def test_no_label_holds_an_id(service: Service) -> None:
    job_id = service.submitted_job("secret.jpg")
    worked(service, own_process_id())
    text = service.client.get("/metrics").text
    for told in (job_id, "secret", "pho_", own_process_id()):
        assert told not in text


def test_workers_are_shown_with_what_they_hold(service: Service) -> None:
    service.submitted_job("a", "b")
    take(service.database, worker=own_process_id())
    metrics = Metrics()
    registration = Registration(service.database, own_process_id(), "worker", metrics, {"device": "cpu"})
    registration._beat()
    (worker,) = service.client.get("/v1/workers").json["workers"]
    assert (worker["alive"], worker["photos_held"], worker["photos_done"]) == (True, 2, 0)
    assert worker["about"]["device"] == "cpu"
    registration._beat(stopped=True)
    (worker,) = service.client.get("/v1/workers").json["workers"]
    assert worker["alive"] is False
    assert worker["stopped_at"] is not None


def test_readyz_counts_who_is_there(service: Service) -> None:
    ready = service.client.get("/readyz")
    assert (ready.status_code, ready.json["status"], ready.json["checks"]["workers"]) == (200, "degraded", 0)
    worked(service, "far-away")
    seen(service.database, "another worker")
    seen(service.database, "a sweeper", "sweeper")
    ready = service.client.get("/readyz")
    assert (ready.json["status"], ready.json["checks"]["workers"]) == ("ready", 2)


@pytest.mark.parametrize("path", ["/metrics", "/v1/workers"])
def test_numbers_of_everybody_need_an_admin(plain_service: Service, path: str) -> None:
    service = plain_service
    assert service.anybody.get(path).status_code == 401
    made = service.client.post(
        "/v1/keys", json={"name": "n", "owner": "anna", "scopes": ["read", "submit"]}
    ).json["key"]
    refused = service.client.get(path, headers={"Authorization": f"Bearer {made}"})
    assert (refused.status_code, refused.json["code"]) == (403, "scope_missing")
    assert service.client.get(path).status_code == 200
