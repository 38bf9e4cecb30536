"""What whoever runs the service looks at: the day by hours, what expires when, receipts of erased jobs."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from nightshift.words.clock import utc_now
from shared.db.tables import Photo
from tests.support.callers import Caller, caller, submitted
from tests.support.service import Service


def test_a_day_by_hours(service: Service) -> None:
    job_id = service.submitted_job(*(f"{n}.jpg" for n in range(6)))
    service.work(batch_size=5)
    service.fail("corrupt_image")
    with service.database.write() as session:
        for name, hours in (("0.jpg", 3), ("1.jpg", 3), ("2.jpg", 30)):
            photo = update(Photo).where(Photo.job_id == job_id, Photo.custom_id == name)
            session.execute(photo.values(finished_at=utc_now() - timedelta(hours=hours)))
    told = service.client.get("/v1/history").json["hours"]
    assert len(told) == 24
    assert [hour["begins_at"] for hour in told] == sorted(hour["begins_at"] for hour in told)
    assert (told[-4]["succeeded"], told[-4]["failed"]) == (2, 0)
    # A new hour may have begun since.
    assert (sum(hour["succeeded"] for hour in told[-2:]), sum(hour["failed"] for hour in told)) == (2, 1)


def test_what_expires_when(root: Caller) -> None:
    anna, ben = caller(root, "anna"), caller(root, "ben")
    operator = caller(root, "ops", "operator")
    ended, bens = submitted(anna), submitted(ben)
    anna("POST", f"/v1/jobs/{ended}/cancel")
    opened = anna("POST", "/v1/jobs", json={"label": "still open"}).json["id"]
    deadline = (utc_now() + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    assert ben("PATCH", f"/v1/jobs/{bens}", json={"deadline": deadline}).status_code == 200
    told = anna("GET", "/v1/expiring").json["expiring"]
    assert [(each["job_id"], each["what"], each["label"]) for each in told] == [
        (opened, "open", "still open"),
        (ended, "results", None),
    ]
    seen = operator("GET", "/v1/expiring").json["expiring"]
    assert [each["job_id"] for each in seen] == [bens, opened, ended]
    assert seen[0]["what"] == "deadline"


def test_receipts_are_listed(root: Caller) -> None:
    anna, ben = caller(root, "anna"), caller(root, "ben")
    erased = []
    for by in (anna, ben, anna):
        job_id = submitted(by)
        by("POST", f"/v1/jobs/{job_id}/cancel")
        receipt = by("DELETE", f"/v1/jobs/{job_id}").json
        erased.append(receipt | {"owner": "anna" if by is anna else "ben"})
    assert anna("GET", "/v1/erasures").json == {"erasures": [erased[2], erased[0]], "next": None}
    first = root("GET", "/v1/erasures?limit=2")
    assert first.json["erasures"] == [erased[2], erased[1]]
    rest = root("GET", first.headers["Link"].partition(">")[0].lstrip("<"))
    assert (rest.json["erasures"], rest.json["next"]) == ([erased[0]], None)
    assert root("GET", "/v1/erasures?cursor=nonsense").json["code"] == "bad_cursor"


def test_who_may_look(root: Caller) -> None:
    allowed = {
        "/v1/history": {"operator", "admin"},
        "/v1/expiring": {"read", "submit", "operator", "admin"},
        "/v1/erasures": {"read", "submit", "admin"},
    }
    for scope in ("read", "submit", "operator", "metrics", "admin"):
        by = caller(root, "anna", scope)
        for path, scopes in allowed.items():
            assert (by("GET", path).status_code == 200) == (scope in scopes), (scope, path)
