"""What the page searches and sorts by, and where the photos themselves are."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightshift.machine.places import path_as_text
from nightshift.report_page.details import NO_TIME, Details, camera_name, seconds_by_camera
from nightshift.report_page.originals import original_of, title_of
from nightshift.report_page.rows import ALPHABET
from nightshift.words.documents import Photo
from tests.support.report_made import fake_photo, parts_of, photo_id, write_report_of
from tests.unit.nightshift.report_page.test_report_page import read_call


@pytest.mark.parametrize("taken_at", ["2026-05-30T21:04:59", "2026-05-30T21:04:59+02:00"])
def test_a_time_is_what_the_camera_showed(taken_at: str) -> None:
    assert datetime.fromtimestamp(seconds_by_camera(taken_at), UTC) == datetime(
        2026, 5, 30, 21, 4, 59, tzinfo=UTC
    )


@given(st.text() | st.none())
def test_what_is_no_time_is_none(taken_at: str | None) -> None:
    assert isinstance(seconds_by_camera(taken_at), int)
    assert seconds_by_camera(f"x{taken_at}") == NO_TIME


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("Canon", "Canon EOS R6", "Canon EOS R6"),
        ("SONY", "ILCE-7M4", "SONY ILCE-7M4"),
        (None, "X100", "X100"),
        ("Leica ", None, "Leica"),
        (None, None, ""),
    ],
)
def test_a_camera_is_named_once(make: str | None, model: str | None, name: str) -> None:
    assert camera_name(make, model) == name


@given(st.integers(0, 100_000))
def test_certainties_are_those_of_the_faces(number: int) -> None:
    photo = fake_photo(number)
    details = Details()
    details.add(photo)
    said = details.as_data()["certainties"]
    values = [ALPHABET.index(said[at]) * 64 + ALPHABET.index(said[at + 1]) for at in range(0, len(said), 2)]
    faces = [(face.confidence, face.gender.probability, face.age_group.probability) for face in photo.faces]
    assert values == [round(1000 * share) for face in faces for share in face]


def test_cameras_are_kept_once_and_photos_refer_to_them() -> None:
    details = Details()
    for number, model in enumerate(["EOS R6", None, "X100", "EOS R6"]):
        details.add(
            Photo(custom_id=f"{number}", photo_id=photo_id(number), status="succeeded", camera_model=model)
        )
    assert details.as_data() == {
        "names": ["0", "1", "2", "3"],
        "times": [],
        "cameras": ["EOS R6", "X100"],
        "camera_of": [0, -1, 1, 0],
        "certainties": "   ",
    }


@pytest.mark.parametrize("name", ["plain.jpg", "100% #1?.jpg", os.fsdecode(b"caf\xe9.jpg"), "a\nb.jpg"])
def test_a_photo_of_this_disk_has_an_address(tmp_path: Path, name: str) -> None:
    photo = tmp_path / name
    photo.touch()
    url = original_of(path_as_text(photo))
    assert url == photo.as_uri()
    assert url.startswith("file:///") and not url.startswith("file:////")


@pytest.mark.parametrize(
    "path",
    [
        *(None, "", "relative.jpg", "/nowhere/at/all.jpg", "/", "file://host/share/a.jpg", "/a\0b"),
        *("javascript:alert(1)", "https://example.org/a.jpg", "/" + "x" * 5000, "\ud800"),
    ],
)
def test_what_is_no_file_of_this_disk_has_none(path: str | None) -> None:
    assert original_of(path) is None


def test_an_address_names_this_machine(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    assert original_of(f"/{tmp_path}/a.jpg") == (tmp_path / "a.jpg").as_uri()


@pytest.mark.parametrize(
    ("roots", "title"),
    [
        ([], ""),
        (["/"], ""),
        (["/srv/party"], "party"),
        (["/srv/party", "/srv/after"], "party and after"),
        (["/a/x", "/b/x"], "x"),
        ([f"/{name}" for name in "abcde"], "a, b, c and 2 more"),
        (["file:///srv/caf%E9"], r"caf\xe9"),
        (["file://elsewhere/x"], ""),
    ],
)
def test_a_job_is_called_by_what_was_given(roots: list[str], title: str) -> None:
    assert title_of(roots) == title


@pytest.mark.parametrize("linked", [True, False])
def test_photos_are_linked_to_only_where_that_is_asked(tmp_path: Path, linked: bool) -> None:
    (tmp_path / "a.jpg").touch()
    photo = fake_photo(2).model_copy(
        update={"path": str(tmp_path / "a.jpg"), "root": str(tmp_path / "party")}
    )
    parts = parts_of(write_report_of(tmp_path / "out", [photo], originals=linked))
    [_, [row]] = read_call((parts / "page-0001.js").read_bytes(), "nightshift.page")
    assert row[-1] == ((tmp_path / "a.jpg").as_uri() if linked else None)
    [data] = read_call((parts / "data.js").read_bytes(), "nightshift.receive")
    assert data["from"] == "party"
