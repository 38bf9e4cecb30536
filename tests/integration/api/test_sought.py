"""Photos and results that are sought by their names, their ends, and the faces in them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from nightshift.words.analysis import Analysis, Face
from tests.support.queue_rows import analysis, face
from tests.support.service import Service, make_service


def unsure(found: Face, *, gender: tuple[str, ...] = (), age_group: tuple[str, ...] = ()) -> Face:
    probability = 0.4 if age_group else found.age_group.probability
    return replace(
        found,
        gender=replace(found.gender, uncertain=bool(gender), uncertain_because=gender),
        age_group=replace(
            found.age_group,
            probability=probability,
            uncertain=bool(age_group),
            uncertain_because=age_group,
        ),
    )


FOUND: dict[str, Analysis] = {
    "a/Anna_1.jpg": analysis(face(0, "female", "20-29")),
    "a/anna_2.jpg": analysis(face(0, "female", "30-39"), face(1, "male", "20-29")),
    "b/100%.jpg": analysis(unsure(face(0, "male", "65+"), gender=("blurred", "close_call"))),
    "b/nobody.jpg": analysis(),
    "b/ÄLTERE.jpg": analysis(unsure(face(0, "male", "65+"), age_group=("close_call",))),
}
SOUGHT: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {*FOUND, "b/bad.jpg"}),
    ({"prefix": "a/"}, {"a/Anna_1.jpg", "a/anna_2.jpg"}),
    ({"prefix": "a/A"}, {"a/Anna_1.jpg"}),
    ({"search": "ANNA"}, {"a/Anna_1.jpg", "a/anna_2.jpg"}),
    ({"search": "ältere"}, {"b/ÄLTERE.jpg"}),
    ({"search": "0%"}, {"b/100%.jpg"}),
    ({"search": "a_1"}, {"a/Anna_1.jpg"}),
    ({"min_faces": 2}, {"a/anna_2.jpg"}),
    ({"min_faces": 1, "max_faces": 1}, {"a/Anna_1.jpg", "b/100%.jpg", "b/ÄLTERE.jpg"}),
    ({"max_faces": 0, "status": "succeeded"}, {"b/nobody.jpg"}),
    ({"gender": "female"}, {"a/Anna_1.jpg", "a/anna_2.jpg"}),
    ({"age_group": ["20-29", "65+"]}, {*FOUND} - {"b/nobody.jpg"}),
    # Of one and the same face: the man of 20-29 stands beside a woman of 30-39.
    ({"gender": "female", "age_group": ["20-29"]}, {"a/Anna_1.jpg"}),
    ({"gender": "female", "age_group": ["65+"]}, set()),
    ({"uncertain": "gender"}, {"b/100%.jpg"}),
    ({"uncertain": "age_group"}, {"b/ÄLTERE.jpg"}),
    ({"uncertain": "any"}, {"b/100%.jpg", "b/ÄLTERE.jpg"}),
    ({"because": "close_call"}, {"b/100%.jpg", "b/ÄLTERE.jpg"}),
    ({"because": "blurred"}, {"b/100%.jpg"}),
    ({"code": "corrupt_image"}, {"b/bad.jpg"}),
    ({"min_confidence": 0.99}, {*FOUND} - {"b/nobody.jpg"}),
    ({"min_confidence": 0.995}, set()),
    ({"min_gender_probability": 0.9, "gender": "female"}, {"a/Anna_1.jpg", "a/anna_2.jpg"}),
    ({"min_gender_probability": 0.91}, set()),
    ({"min_age_group_probability": 0, "gender": "male"}, {"a/anna_2.jpg", "b/100%.jpg", "b/ÄLTERE.jpg"}),
    ({"min_age_group_probability": 0.5}, {"a/Anna_1.jpg", "a/anna_2.jpg", "b/100%.jpg"}),
]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, str]]:
    service = make_service(tmp_path_factory.mktemp("sought"))
    job_id = service.submitted_job("b/bad.jpg", *FOUND)
    service.fail("corrupt_image")
    for made in FOUND.values():
        assert service.work(lambda _, made=made: made, batch_size=1) == 1  # type: ignore[misc]
    service.finish(job_id)
    yield service, job_id
    service.database.close()


@pytest.mark.parametrize(("sought", "names"), SOUGHT)
def test_photos_and_results_are_those_that_are_sought(
    job: tuple[Service, str], sought: dict[str, Any], names: set[str]
) -> None:
    service, job_id = job
    listed = service.client.get(f"/v1/jobs/{job_id}/photos", query_string=sought)
    assert listed.status_code == 200, listed.text
    assert {photo["custom_id"] for photo in listed.json["photos"]} == names
    results = service.client.get(f"/v1/jobs/{job_id}/results", query_string=sought)
    assert {json.loads(line)["custom_id"] for line in results.text.splitlines()} == names


def test_pages_of_what_is_sought_follow_each_other(job: tuple[Service, str]) -> None:
    service, job_id = job
    seen, path = [], f"/v1/jobs/{job_id}/photos?limit=1&min_faces=1"
    while path:
        page = service.client.get(path)
        seen += [photo["custom_id"] for photo in page.json["photos"]]
        path = page.headers.get("Link", "").partition(">")[0].removeprefix("<")
        assert "min_faces=1" in path or not path
    assert seen == [name for name in FOUND if name != "b/nobody.jpg"]


@pytest.mark.parametrize("accept", ["application/x-ndjson", "text/csv"])
def test_results_come_page_by_page_as_well(job: tuple[Service, str], accept: str) -> None:
    service, job_id = job
    seen, path = [], f"/v1/jobs/{job_id}/results?limit=2&min_faces=1"
    while path:
        page = service.client.get(path, headers={"Accept": accept})
        if accept == "text/csv":
            named = [line["custom_id"] for line in csv.DictReader(io.StringIO(page.text))]
        else:
            named = [json.loads(line)["custom_id"] for line in page.text.splitlines()]
        assert len(set(named)) <= 2
        seen += list(dict.fromkeys(named))
        path = page.headers.get("Link", "").partition(">")[0].removeprefix("<")
        assert "min_faces=1" in path or not path
    assert seen == [name for name in FOUND if name != "b/nobody.jpg"]


def test_results_go_on_behind_a_page(job: tuple[Service, str]) -> None:
    service, job_id = job
    all_of_them = service.client.get(f"/v1/jobs/{job_id}/results").text
    first = service.client.get(f"/v1/jobs/{job_id}/results?limit=2")
    cursor = parse_qs(first.headers["Link"].partition(">")[0].partition("?")[2])["cursor"][0]
    rest = service.client.get(f"/v1/jobs/{job_id}/results", query_string={"cursor": cursor})
    assert first.text + rest.text == all_of_them
    assert "Link" not in rest.headers
    for more in ({}, {"limit": 1}):
        refused = service.client.get(f"/v1/jobs/{job_id}/results", query_string={"cursor": "x", **more})
        assert (refused.status_code, refused.json["code"]) == (422, "bad_cursor"), refused.text


@pytest.mark.parametrize(
    "query",
    [
        *("gender=woman", "age_group=20", "uncertain=yes", "because=ugly", "min_faces=-1", "max_faces=many"),
        *("prefix=%00", "status=done", "max_faces=1&min_faces=3"),
    ],
)
def test_what_cannot_be_sought_is_refused(job: tuple[Service, str], query: str) -> None:
    service, job_id = job
    for part in ("photos", "results"):
        refused = service.client.get(f"/v1/jobs/{job_id}/{part}?{query}")
        assert (refused.status_code, refused.json["code"]) == (422, "invalid_fields"), refused.text
        assert refused.json["errors"][0]["field"].startswith(query.partition("=")[0])
