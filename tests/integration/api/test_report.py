"""The report that is taken away from the page: the same as the command writes, packed."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest

from nightshift.report_page.page import write_page
from nightshift.words.documents import Job, Photo, Summary
from shared.files.store import thumbnail_key
from tests.support.service import Service


def _with_thumbnails(service: Service, *names: str) -> tuple[str, list[tuple[str, bytes]]]:
    job_id = service.submitted_job(*names)
    service.work(batch_size=len(names))
    service.finish(job_id)
    ids = [photo["photo_id"] for photo in service.get(job_id, "/photos").json["photos"]]
    thumbnails = [(photo_id, photo_id.encode() * 40) for photo_id in ids]
    for photo_id, image in thumbnails:
        service.context.store.put(thumbnail_key("local", job_id, photo_id), image)
    return job_id, thumbnails


def test_it_is_what_the_command_writes(service: Service, tmp_path: Path) -> None:
    job_id, thumbnails = _with_thumbnails(service, *"abc")

    answer = service.get(job_id, "/report")

    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{job_id}.report.zip"'
    packed = zipfile.ZipFile(io.BytesIO(answer.data))
    assert packed.testzip() is None
    # Not as into a pipe, nor for others to read.
    assert {(member.flag_bits, member.external_attr >> 16) for member in packed.infolist()} == {(0, 0o600)}
    out = tmp_path / "out"
    written = write_page(
        out,
        job=Job.model_validate(service.get(job_id).json),
        summary=Summary.model_validate(service.get(job_id, "/summary").json),
        thumbnails=thumbnails,
        photos=[
            Photo.model_validate_json(line) for line in service.get(job_id, "/results").text.splitlines()
        ],
    )
    assert _contents({name: packed.read(name) for name in packed.namelist()}) == _contents(
        {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    )
    assert packed.namelist()[-1] == written.name == "report.html"


def _contents(files: dict[str, bytes]) -> dict[str, bytes]:
    """Without what differs from one report to the next: the folder's name, and when it was written."""
    return {
        re.sub(r"[0-9a-f]{12}/", "PARTS/", name, count=1): re.sub(
            rb'"written_at":"[^"]*"|report_files/[0-9a-f]{12}', b"", data
        )
        for name, data in files.items()
    }


def test_of_a_job_that_goes_on_it_holds_what_is_done(service: Service) -> None:
    job_id = service.submitted_job(*"abc")
    service.work(batch_size=1)
    packed = zipfile.ZipFile(io.BytesIO(service.get(job_id, "/report").data))
    (data,) = [packed.read(name) for name in packed.namelist() if name.endswith("/data.js")]
    assert b'"total":1' in data


def test_without_a_job_there_is_none(plain_service: Service) -> None:
    missing = plain_service.get("job_nowhere", "/report")
    assert (missing.status_code, missing.json["code"]) == (404, "job_not_found")


@pytest.mark.parametrize("what", ["photos/{}/thumbnail", "thumbnails", "report"])
def test_nobody_keeps_pictures_of_people(service: Service, what: str) -> None:
    job_id, ((photo_id, _), *_) = _with_thumbnails(service, "a")
    answer = service.get(job_id, f"/{what.format(photo_id)}")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
