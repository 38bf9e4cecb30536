"""LibreOffice opens the tables, and takes nothing in them for what it is not."""

from __future__ import annotations

import csv
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from nightshift.table_files import write_xlsx
from nightshift.words.columns import columns
from nightshift.words.table_rows import About, face_rows
from nightshift.words.tables import FaceRow
from shared.reads.flat_tables import FACES
from tests.support.report_made import fake_photo, job_of
from tests.support.requirements import require

PHOTOS = [fake_photo(number) for number in range(60)] + [fake_photo(3, "=1+1 \u00e4\u4e2d.jpg")]
TEXTS = ("custom_id", "age_group", "age_range", "gender", "photo_id")


@pytest.fixture
def about() -> About:
    return About.of(*job_of(PHOTOS))


def opened(path: Path, sheet: int = 1) -> list[dict[str, str]]:
    """A table as LibreOffice has understood it, saved again."""
    office = shutil.which("soffice")
    require(office, "no LibreOffice: run tests/install_programs.sh")
    saved = path.parent / "saved"
    # Comma, quotes, UTF-8; cells as they are, not as they are shown.
    form = f"csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,{sheet}"
    profile = f"-env:UserInstallation={(path.parent / 'profile').as_uri()}"
    # What its dialogue proposes when it sees the mark of UTF-8, and nobody is asked here.
    read = ["--infilter=CSV:44,34,76,1"] if path.suffix == ".csv" else []
    command = [office, profile, "--headless", *read, "--convert-to", form, "--outdir", saved, path]
    subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=250)
    (made,) = saved.iterdir()
    with made.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_a_csv_is_utf8_and_its_groups_are_no_dates(tmp_path: Path, about: About) -> None:
    path = tmp_path / "faces.csv"
    path.write_text(FACES.head() + FACES.lines(PHOTOS, about), encoding="utf-8", newline="")
    with path.open(newline="", encoding="utf-8-sig") as file:
        written = list(csv.DictReader(file))
    read = opened(path)
    assert {"5 to 9", "10 to 19"} <= {row["age_group"] for row in read}
    assert [{name: row[name] for name in TEXTS} for row in read] == [
        {name: row[name] for name in TEXTS} for row in written
    ]


def test_a_workbook_has_every_face_as_it_is(tmp_path: Path, about: About) -> None:
    require(find_spec("xlsxwriter"), "xlsxwriter is not installed")
    path = tmp_path / "results.xlsx"
    with path.open("wb") as file:
        write_xlsx(file, PHOTOS, about)
    read = opened(path, sheet=2)
    rows = [row for photo in PHOTOS for row in face_rows(photo, about)]
    assert len(read) == len(rows)
    for line, row in zip(read, rows, strict=True):
        for column in columns(FaceRow):
            value, text = getattr(row, column.name), line[column.name]
            if isinstance(value, bool):
                assert text == str(value).upper()
            elif isinstance(value, str):
                assert text == value
            elif value is None:
                assert text == ""
            else:
                assert float(text) == pytest.approx(value, abs=1e-9)
