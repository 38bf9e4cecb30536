"""Archives on the page: what is in one is said before, sent photo by photo, and not twice after a reload."""

from __future__ import annotations

import io
import tarfile
import zipfile
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.command import write_portraits
from tests.support.page_served import Open, Served, signed_in
from tests.support.processes import wait_for

PORTRAITS = 5
LONG = "a name of many letters/" * 8


def contents(folder: Path) -> dict[str, bytes]:
    write_portraits(folder / "made", PORTRAITS)
    photos = [path.read_bytes() for path in sorted((folder / "made").iterdir())]
    names = (
        "first.jpg",
        "\u05d7\u05d2/\u00e4.JPG",
        f"{LONG}long.jpg",
        "no extension",
        "<img src=x onerror=alert(1)>.jpg",
    )
    others = {"guests.docx": b"no photo", ".hidden.jpg": photos[0], "deep/empty.jpg": b"", "inner.zip": b"PK"}
    return {**dict(zip(names, photos, strict=True)), **others}


def zipped(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as members:
        members.mkdir("deep")
        for number, (name, data) in enumerate(files.items()):
            packing = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)[number % 2]
            members.writestr(name, data, packing)


def large_zip(path: Path, files: dict[str, bytes]) -> None:
    """With the records of a zip of more than 65,535 files, and something in front of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
        patch.setattr(zipfile, "ZIP64_LIMIT", 100)
        zipped(path, files)
    path.write_bytes(b"#!/bin/unpack\n" + path.read_bytes())


def tarred(mode: str, format_: int) -> Callable[[Path, dict[str, bytes]], None]:
    def write(path: Path, files: dict[str, bytes]) -> None:
        with tarfile.open(path, mode, format=format_) as members:  # type: ignore[call-overload]
            folder = tarfile.TarInfo("deep")
            folder.type = tarfile.DIRTYPE
            members.addfile(folder)
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                members.addfile(info, io.BytesIO(data))

    return write


KINDS = {
    "plain.zip": zipped,
    "large.zip": large_zip,
    "pax.tar": tarred("w", tarfile.PAX_FORMAT),
    "gnu.tar": tarred("w", tarfile.GNU_FORMAT),
    "packed.tar.gz": tarred("w:gz", tarfile.PAX_FORMAT),
}


def photos_of(served: Served, job_id: str) -> dict[str, str]:
    found = served.ask("GET", f"/v1/jobs/{job_id}/photos")["photos"]
    return {photo["custom_id"]: photo["status"] for photo in found}


def send(page: Page) -> None:
    page.get_by_role("button", name="Send", exact=True).click()


@pytest.mark.parametrize("name", KINDS)
def test_an_archive_is_opened_and_goes_on_after_a_reload(
    open_page: Open, served: Served, tmp_path: Path, name: str
) -> None:
    files = contents(tmp_path)
    archive = tmp_path / name
    KINDS[name](archive, files)
    page = signed_in(open_page, served, "new")

    def choose() -> None:
        page.get_by_label("Choose photos").set_input_files(archive)
        expect(page.get_by_text(f"{PORTRAITS} photos")).to_be_visible()

    choose()
    for told in ("2 files are of no kind", "guests.docx", "inner.zip", "1 file is empty", "1 hidden photo"):
        expect(page.get_by_text(told)).to_be_visible()
    passed: list[str] = []

    def pass_two(route: Route) -> None:
        passed.append(route.request.url)
        if len(passed) > 2:
            route.abort()
        else:
            route.continue_()

    page.route("**/photos?custom_id=*", pass_two)
    send(page)
    expect(page.get_by_text("The service does not answer.")).to_be_visible()
    job = served.ask("GET", "/v1/jobs")["jobs"][0]
    assert job["label"] == name.split(".")[0]
    wait_for(lambda: len(photos_of(served, job["id"])) == 2, "two photos", 60)
    page.reload()
    expect(page.get_by_text("is still open")).to_be_visible()
    page.unroute("**/photos?custom_id=*")
    said: list[str] = []
    page.on(
        "request",
        lambda request: (
            said.append(request.headers.get("content-digest", "")) if request.method == "PUT" else None
        ),
    )
    choose()
    send(page)
    expect(page.get_by_role("heading", level=1, name=job["label"])).to_be_visible()
    assert set(photos_of(served, job["id"])) == set(list(files)[:PORTRAITS])
    # The bytes are those that were put in: the service holds each photo against its digest.
    digests = {f"sha-256=:{b64encode(sha256(data).digest()).decode()}:" for data in files.values()}
    assert len(said) == PORTRAITS - 2
    assert set(said) < digests


def test_what_cannot_be_opened_here_is_sent_whole_and_said_so(
    open_page: Open, served: Served, tmp_path: Path
) -> None:
    files = contents(tmp_path)
    archive = tmp_path / "odd.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_BZIP2) as members:
        for name, data in files.items():
            members.writestr(name, data)
    page = signed_in(open_page, served, "new")
    page.get_by_label("Choose photos").set_input_files(archive)
    # What has no photo's name cannot be looked into.
    expect(page.get_by_text(f"{PORTRAITS - 1} photos")).to_be_visible()
    expect(page.get_by_text("It is sent as it is, and unpacked by the service")).to_be_visible()
    expect(page.get_by_text("guests.docx")).to_be_visible()
    send(page)
    expect(page.get_by_role("heading", level=1, name="odd")).to_be_visible()
    assert served.ask("GET", "/v1/jobs")["jobs"][0]["archive"]["name"] == "odd.zip"


def test_a_damaged_member_is_named_and_the_others_are_sent(
    open_page: Open, served: Served, tmp_path: Path
) -> None:
    files = contents(tmp_path)
    archive = tmp_path / "damaged.zip"
    zipped(archive, files)
    data = bytearray(archive.read_bytes())
    at = data.index(files["first.jpg"]) + len(files["first.jpg"]) // 2
    data[at] ^= 0xFF
    archive.write_bytes(data)
    page = signed_in(open_page, served, "new")
    page.get_by_label("Choose photos").set_input_files(archive)
    send(page)
    told = page.get_by_role("alert").filter(has_text="1 photo was refused")
    expect(told).to_be_visible()
    expect(told).to_contain_text("first.jpg: cannot be read any more, or is damaged")
    told.get_by_role("link", name="damaged").click()
    page.get_by_role("button", name="Submit what is there").click()
    job_id = served.ask("GET", "/v1/jobs")["jobs"][0]["id"]
    wait_for(lambda: served.ask("GET", f"/v1/jobs/{job_id}")["state"] != "open", "it is submitted", 60)
    assert len(photos_of(served, job_id)) == PORTRAITS - 1
