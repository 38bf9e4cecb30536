"""The report's files: what they hold, and that no text gets out of its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.fake_analyser import LABELS
from nightshift.machine.whole_files import replacing
from nightshift.photos import find_photos
from nightshift.report_page import data_files
from nightshift.report_page.data_files import PAGE_PHOTOS, Index, call, photo_files
from nightshift.report_page.page import write_page
from nightshift.report_page.rows import ALPHABET, face_bits, photo_row, shape_of
from nightshift.words.documents import Photo
from tests.support.report_made import failed_photo, fake_photo, job_of, parts_of, photo_id, write_report_of


def read_call(script: bytes, function: str) -> list[Any]:
    """What a script hands over, read as JSON."""
    text = script.decode("ascii")
    assert text.startswith(f"{function}(") and text.endswith(");\n")
    arguments: list[Any] = json.loads(f"[{text[len(function) + 1 : -3]}]")
    return arguments


HOSTILE = "</script><img src=x onerror=alert(1)>'\"\\\u2028\u2029<!--]]>&amp;"


@given(st.text(st.characters(), max_size=200))
@example(HOSTILE)
@example("\ud800 half a pair")
@example("__proto__")
@example("');alert(1);//")
def test_any_text_comes_back_and_stays_in_its_script(text: str) -> None:
    photo = failed_photo(1, text, text)
    script = call("nightshift.page", 1, [photo_row(photo, False)])

    assert not set(script) & set(b"<>&'\x7f")
    assert script.count(b"\n") == 1
    assert all(byte < 128 for byte in script)
    [number, [row]] = read_call(script, "nightshift.page")
    assert (number, row[0], row[7]) == (1, text, ["corrupt_image", "decode", text])


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        call("nightshift.page", float("nan"))


@pytest.mark.parametrize("total", [0, 1, PAGE_PHOTOS, PAGE_PHOTOS + 1])
def test_pages_hold_five_hundred_photos(total: int) -> None:
    index = Index()
    *files, (last, _) = photo_files(index, (fake_photo(number) for number in range(total)), set())
    assert last == "index.js"
    assert [name for name, _ in files] == [f"page-{n + 1:04d}.js" for n in range(-(-total // PAGE_PHOTOS))]
    pages = [read_call(data, "nightshift.page") for _, data in files]
    assert [number for number, _ in pages] == [*range(1, len(files) + 1)]
    assert [row[1] for _, rows in pages for row in rows] == [photo_id(number) for number in range(total)]
    assert index.as_data()["total"] == total == len(index.shapes)


def test_photos_are_read_once_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_files, "PAGE_PHOTOS", 10)
    written = []
    made: list[str] = []

    def photos() -> Any:
        for number in range(35):
            written.append(len(made))
            yield fake_photo(number)

    for name, _ in photo_files(Index(), photos(), set()):
        made.append(name)
    assert written == [number // 10 for number in range(35)]


@given(st.integers(0, 100_000))
def test_the_index_says_what_the_photos_say(number: int) -> None:
    photo = fake_photo(number)
    index = Index()
    index.add(photo, True)
    [entry] = index.as_data()["index"].split(" ")
    if photo.status == "failed":
        assert entry == "!"
        return
    bits = [ALPHABET.index(character) for character in entry]
    assert [bit & 1 for bit in bits] == [int(face.gender.value == "male") for face in photo.faces]
    assert [LABELS[bit >> 1 & 7] for bit in bits] == [face.age_group.label for face in photo.faces]
    assert [bool(bit & 16) for bit in bits] == [face.gender.uncertain for face in photo.faces]
    assert [bool(bit & 32) for bit in bits] == [face.age_group.uncertain for face in photo.faces]
    rows = photo_row(photo, True)[6]
    assert [row[10] for row in rows] == [face.age_range.label for face in photo.faces]
    assert [bool(row[11]) for row in rows] == [face.gender.uncertain for face in photo.faces]
    assert [row[12].split() for row in rows] == [
        list(face.age_group.uncertain_because) for face in photo.faces
    ]
    assert [row[4] for row in photo_row(photo, True)[6]] == bits == [face_bits(face) for face in photo.faces]


def test_the_index_keeps_apart_what_has_no_faces() -> None:
    index = Index()
    index.add(Photo(custom_id="a", photo_id=photo_id(1), status="succeeded"), True)
    index.add(failed_photo(2, "b", "why"), False)
    index.add(Photo(custom_id="c", photo_id=photo_id(3), status="cancelled"), False)
    index.add(Photo(custom_id="d", photo_id=photo_id(4), status="queued"), False)
    assert index.as_data()["index"] == " ! . ?"
    assert index.failed == [[1, "b", "corrupt_image", "why"]]


def test_failures_in_the_index_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_files, "FAILURES_LISTED", 3)
    index = Index()
    for number in range(5):
        index.add(failed_photo(number, f"{number}.jpg", "why"), False)
    assert [name for _, name, _, _ in index.failed] == ["0.jpg", "1.jpg", "2.jpg"]


@given(st.integers(1, 60_000), st.integers(1, 60_000))
def test_a_photo_keeps_its_shape(width: int, height: int) -> None:
    photo = Photo(custom_id="a", photo_id=photo_id(1), status="succeeded", width=width, height=height)
    ratio = 3 ** (ALPHABET.index(shape_of(photo, True)) / 63 * 2 - 1)
    assert ratio == pytest.approx(min(3, max(1 / 3, width / height)), rel=0.02)


def test_a_report_has_all_its_parts_and_nothing_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "faces.csv").touch()
    page = write_report_of(tmp_path, [fake_photo(number) for number in range(30)], label=HOSTILE)
    html = page.read_text(encoding="utf-8")
    parts = parts_of(page)

    used = re.findall(r'(?:src|href)="([^"#]+)"', html)
    assert used and all((tmp_path / path).is_file() for path in used)
    written = {path.name for path in parts.iterdir() if path.is_file()}
    assert {Path(path).name for path in used} | {"index.js", "page-0001.js"} == written
    assert "Content-Security-Policy" in html and "default-src 'none'" in html
    # Nothing of the job is in the page itself, so there is nothing in it to escape.
    assert HOSTILE not in html and "unsafe-inline" not in html

    [data] = read_call((parts / "data.js").read_bytes(), "nightshift.receive")
    assert data["job"]["label"] == HOSTILE
    assert data["downloads"] == ["faces.csv"]
    [[_, rows]] = [read_call((parts / "page-0001.js").read_bytes(), "nightshift.page")]
    shown = {path.stem for path in (parts / "thumbnails").rglob("*.webp")}
    assert shown == {row[1] for row in rows if row[3]} == {row[1] for row in rows if row[2] == "succeeded"}


def test_the_scripts_neither_make_markup_of_data_nor_ask_a_network() -> None:
    assets = Path(data_files.__file__).parent / "assets"
    for script in assets.glob("*.js"):
        text = script.read_text(encoding="utf-8")
        for forbidden in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "eval(",
            "fetch(",
            "document.write",
        ):
            assert forbidden not in text, script.name
        assert set(re.findall(r"https?://[\w.]+", text)) <= {"http://www.w3.org"}, script.name


def test_an_earlier_report_is_replaced_whole(tmp_path: Path) -> None:
    first = parts_of(write_report_of(tmp_path, [fake_photo(1)]))
    mine = tmp_path / "report_files" / "mine.txt"
    mine.touch()
    page = write_report_of(tmp_path, [fake_photo(2)])
    assert not first.exists()
    assert mine.exists()
    assert {path.name for path in page.parent.iterdir()} == {"report.html", "report_files"}


def test_an_error_leaves_the_earlier_report(tmp_path: Path) -> None:
    page = write_report_of(tmp_path, [fake_photo(1)])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    job, summary = job_of([])

    def broken() -> Any:
        yield photo_id(2), b"webp"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_page(tmp_path, job=job, summary=summary, thumbnails=broken(), photos=[])
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert parts_of(page)

    with pytest.raises(OSError, match="No space"):
        write_page(tmp_path / "new", job=job, summary=summary, thumbnails=broken(), photos=[])
    assert list((tmp_path / "new").iterdir()) == []


def test_an_interruption_just_after_the_page_was_replaced_keeps_its_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def interrupted(path: Path) -> Iterator[BinaryIO]:
        with replacing(path) as file:
            yield file
        raise KeyboardInterrupt

    monkeypatch.setattr("nightshift.report_page.page.replacing", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_report_of(tmp_path, [fake_photo(1)])
    parts = parts_of(tmp_path / "report.html")
    assert (parts / "data.js").is_file()


def test_thumbnails_under_other_names_are_not_written(tmp_path: Path) -> None:
    job, summary = job_of([])
    page = write_page(tmp_path, job=job, summary=summary, thumbnails=[("../../escape", b"x")], photos=[])
    assert not list(tmp_path.rglob("*escape*"))
    assert parts_of(page)


def test_a_report_is_not_taken_for_photos(tmp_path: Path) -> None:
    write_report_of(tmp_path / "earlier", [fake_photo(1)])
    (tmp_path / "party.jpg").touch()
    assert list(tmp_path.rglob("*.webp"))
    assert [photo.custom_id for photo in find_photos([tmp_path]).photos] == ["party.jpg"]
