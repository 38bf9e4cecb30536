"""Of a folder the page takes the photos that `nightshift run` takes, and says what both leave alone."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from nightshift.photos import find_photos
from tests.support.command import write_portraits
from tests.support.page_served import Open, Served, signed_in
from tests.support.processes import wait_for

COPIES = (
    "IMG_1.JPG", "img_1.DNG", "IMG_2.mpo", "IMG_3.HIF", "deep/IMG_4.jpeg", "deep/IMG_4.CR3", "IMG_5.nef",
    "no extension", "named.wrong", "photo.jpg.bak", ".hidden.jpg", "._IMG_1.JPG", ".cache/a.jpg",
    "@eaDir/SYNO.jpg", "#recycle/gone.jpg", "__MACOSX/b.jpg", "Lost+Found/c.jpg", "d.thm",
    "My.photoslibrary/originals/e.jpg", "My.photoslibrary/resources/derivatives/f.jpg",
    "My.photoslibrary/database/g.jpg", "Catalogue Previews.lrdata/h.jpg", "CaptureOne/Cache/i.jpg",
    "appdata_oc1/preview/j.jpg", "mipmaps-0a1b2c3d.d/k.jpg", "iPhoto Library/Masters/l.jpg",
    "x..jpg", "hollow.dng", "Umlaut \u00e4/\u4e2d\u6587.JPG",
)  # fmt: skip
"""Names of sound JPEGs."""
OTHERS = {
    "hollow.jpg": b"no picture",
    "guests.docx": b"PK\x03\x04",
    "Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "film.mov": b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
    "live.bin": b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic",
    "sound.riff": b"RIFF\0\0\0\0WAVE",
    "drawing.bin": b"BM" + bytes(12) + (40).to_bytes(4, "little"),
    "raw.bin": b"II*\0" + bytes(20),
    "notes": b"text",
}


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    write_portraits(folder / "made", 1)
    [sound] = (folder / "made").iterdir()
    for name in COPIES:
        place = folder / "card" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sound, place)
    for name, data in OTHERS.items():
        (folder / "card" / name).write_bytes(data)
    return folder / "card"


def test_a_folder_has_the_same_photos_on_the_page(open_page: Open, served: Served, card: Path) -> None:
    found = find_photos([card])
    taken = {photo.path.relative_to(card).as_posix() for photo in found.photos}
    assert {"IMG_2.mpo", "live.bin", "hollow.dng", "no extension"} < taken and "img_1.DNG" not in taken
    page = signed_in(open_page, served, "new")
    page.get_by_label("Choose a folder").set_input_files(card)
    expect(page.get_by_text(f"{len(taken)} photos")).to_be_visible()
    left = found.left_alone
    for word, said in (
        ("of a system", "files of systems and network storage are left alone"),
        ("previews of a photo library", "previews that photo programs made are left alone"),
        ("hidden", "hidden photo is left alone"),
        ("RAW beside a JPEG", "raw files are left alone: the JPEGs beside them are the same photos"),
    ):
        told = page.get_by_text(said)
        expect(told).to_be_visible()
        # Folders that are not looked into count once in a run, and by their files in a browser.
        number = int(re.match(r"\d+", told.inner_text())[0])  # type: ignore[index]
        assert number >= left[word]
    page.get_by_role("button", name="Send", exact=True).click()
    wait_for(lambda: served.ask("GET", "/v1/jobs")["jobs"][:1], "a job", 60)
    job_id = served.ask("GET", "/v1/jobs")["jobs"][0]["id"]
    wait_for(lambda: served.ask("GET", f"/v1/jobs/{job_id}")["state"] != "open", "it is sent", 120)
    sent = {
        photo["custom_id"] for photo in served.ask("GET", f"/v1/jobs/{job_id}/photos?limit=200")["photos"]
    }
    assert sent == taken
