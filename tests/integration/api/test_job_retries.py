"""What did not succeed in a job that has ended, tried again."""

from __future__ import annotations

import pytest

from tests.support.service import Service


def test_a_retry_over_http(service: Service) -> None:
    job_id = service.submitted_job("a", "b")
    service.fail("timeout")
    service.work()
    assert service.post(job_id, "retry").json["state"] == "running"
    service.finish(job_id)
    nothing = service.client.post(f"/v1/jobs/{job_id}/retry?code=corrupt_image").json
    assert nothing["code"] == "nothing_to_retry"
    assert nothing["detail"] == f"job {job_id} has no such photos to try again"
    bad = service.client.post(f"/v1/jobs/{job_id}/retry?code=no_such_code")
    assert (bad.status_code, bad.json["code"]) == (422, "invalid_fields")
    again = service.client.post(f"/v1/jobs/{job_id}/retry?code=timeout&code=worker_lost")
    assert (again.status_code, again.json["state"], again.json["counts"]["queued"]) == (202, "queued", 1)
    service.work()
    service.finish(job_id)
    assert service.job(job_id)["outcome"] == "succeeded"
    nothing = service.client.post(f"/v1/jobs/{job_id}/retry").json
    assert (nothing["code"], nothing["detail"].split(":")[0]) == (
        "nothing_to_retry",
        f"nothing failed in job {job_id}",
    )
    photo = service.photos(job_id)["a"]
    assert [entry["ending"] for entry in photo["history"]] == ["failed", "succeeded"]


@pytest.mark.parametrize("fails", [False, True])
def test_a_job_that_deletes_its_uploads_says_so_only_of_what_failed(service: Service, fails: bool) -> None:
    job_id = service.submitted_job("a", options={"delete_originals": True})
    service.fail("timeout") if fails else service.work()
    service.finish(job_id)
    refused = service.client.post(f"/v1/jobs/{job_id}/retry").json
    assert refused["code"] == ("originals_deleted" if fails else "nothing_to_retry")


def test_chosen_photos_are_tried_again_and_no_others(service: Service) -> None:
    job_id = service.submitted_job("a", "b", "c")
    for _ in range(3):
        service.fail("timeout")
    service.finish(job_id)
    ids = {name: photo["photo_id"] for name, photo in service.photos(job_id).items()}
    retry = f"/v1/jobs/{job_id}/retry"
    for query, code in (
        ({"photo": "pho_" + "0" * 32}, "nothing_to_retry"),
        ({"photo": ids["a"], "code": "corrupt_image"}, "nothing_to_retry"),
        ({"photo": "a"}, "photo_not_found"),
        ({"photo": [ids["a"]] * 101}, "invalid_fields"),
    ):
        refused = service.client.post(retry, query_string=query)
        assert refused.json["code"] == code, refused.text
        assert service.job(job_id)["state"] == "ended"
    again = service.client.post(retry, query_string={"photo": [ids["a"], ids["c"]]})
    assert (again.status_code, again.json["counts"]["queued"]) == (202, 2)
    assert {name for name, photo in service.photos(job_id).items() if photo["status"] == "queued"} == {
        "a",
        "c",
    }
