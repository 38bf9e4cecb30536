"""What workers are started for: what they could take now, and nothing that they could not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nightshift.words.clock import utc_now
from shared.reads import demand
from tests.support.callers import Caller, caller
from tests.support.processes import wait_for
from tests.support.service import Service


def _load(service: Service) -> tuple[int, float | None]:
    answer = service.client.get("/v1/load")
    assert answer.status_code == 200, answer.text
    lines = service.client.get("/metrics").text.splitlines()
    told = dict(line.split() for line in lines if line.startswith("nightshift_") and "{" not in line)
    assert float(told["nightshift_claimable_photos"]) == answer.json["claimable_photos"]
    assert ("nightshift_seconds_to_drain" in told) == (answer.json["seconds_to_drain"] is not None)
    return answer.json["claimable_photos"], answer.json["seconds_to_drain"]


def test_only_what_could_be_claimed_counts(service: Service) -> None:
    assert _load(service) == (0, 0.0)
    service.put(service.open_job(), "open.jpg")
    assert _load(service) == (0, 0.0)
    paused = service.submitted_job("a.jpg", "b.jpg")
    assert _load(service) == (2, None)
    assert service.post(paused, "pause").status_code == 202
    assert _load(service) == (0, 0.0)
    # Three hours that begin in six.
    hours = [f"{(utc_now() + timedelta(hours=ahead)):%H}:00" for ahead in (6, 9)]
    service.submitted_job("c.jpg", processing_window=f"{hours[0]}-{hours[1]} UTC")
    assert _load(service) == (0, 0.0)
    service.submitted_job("d.jpg")
    assert _load(service) == (1, None)
    assert service.post(paused, "resume").status_code == 202
    assert _load(service) == (3, None)
    service.work(batch_size=1)
    assert _load(service)[0] == 2


def test_the_rate_says_how_long_it_takes(service: Service) -> None:
    service.submitted_job(*(f"{n}.jpg" for n in range(6)))
    _load(service)

    def rate_is_known() -> bool:
        service.work(batch_size=1)
        return _load(service)[1] is not None

    wait_for(rate_is_known, "a rate, or all is done")
    load = service.client.get("/v1/load").json
    assert load["claimable_photos"] == 0 or load["photos_per_second"] > 0


def test_it_is_read_with_a_key_for_metrics(root: Caller) -> None:
    assert caller(root, "ops", "metrics")("GET", "/v1/load").status_code == 200
    refused = caller(root, "anna")("GET", "/v1/load")
    assert (refused.status_code, refused.json["code"]) == (403, "scope_missing")


def test_many_photos_are_not_counted_one_by_one(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demand, "COUNTED", 3)
    service.submitted_job("a.jpg", "b.jpg")
    assert _load(service)[0] == 2
    paused = service.submitted_job("c.jpg", "d.jpg", "e.jpg")
    assert _load(service)[0] == 5
    assert service.post(paused, "pause").status_code == 202
    service.submitted_job("f.jpg", "g.jpg")
    # What waits and cannot be claimed counts as little as it does among few.
    assert _load(service)[0] == 4
    monkeypatch.setattr(demand, "MOST_JOBS", 1)
    assert _load(service)[0] == 3
