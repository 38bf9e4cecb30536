"""The data dictionary, the schema and the page for researchers are those of the tables."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import jsonschema
import pytest
import yaml

from docs import tables_page
from nightshift.words.columns import columns
from nightshift.words.options import AnalysisOptions
from nightshift.words.table_rows import About, face_rows, photo_row
from nightshift.words.tables import FaceRow, PhotoRow
from nightshift.words.thresholds import Thresholds
from nightshift.words.version import VERSION
from shared.reads.flat_tables import FACES, LOW_CONFIDENCE_FACES, PHOTOS
from shared.settings import REPOSITORY
from tests.support.pages import assert_kept
from tests.support.report_made import fake_photo, job_of
from tests.support.requirements import require

THRESHOLDS = Thresholds(
    gender=0.75, age_group=0.4, sharpness=0.36, crop_size_px=32, brightness=0.08, yaw_deg=50, cut_off=0.25
)
WEIGHTS = job_of([])[0].bundle
PHOTOS_MADE = [fake_photo(number).model_copy(update={"bundle": WEIGHTS}) for number in range(60)]


@pytest.fixture
def about() -> About:
    job, summary = job_of(PHOTOS_MADE)
    return About.of(job, summary.model_copy(update={"thresholds": THRESHOLDS}))


def test_the_dictionary_is_up_to_date_and_mended_where_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables_page, "SCHEMA", tmp_path / "schema.json")
    (tmp_path / "schema.json").write_text("")
    page = assert_kept(tables_page, "PAGE", tmp_path, monkeypatch, ("| `yaw_deg` |", "| `yaw` |"))
    assert (tmp_path / "schema.json").read_text(encoding="utf-8") == tables_page.schema()
    for row in (PhotoRow, FaceRow):
        assert all(f"| `{column.name}` |" in page for column in columns(row))


def test_the_schema_is_kept_and_holds_for_results_and_rows(about: About) -> None:
    text = tables_page.SCHEMA.read_text(encoding="utf-8")
    assert text == tables_page.schema()
    schema = json.loads(text)
    Validator = jsonschema.Draft202012Validator  # noqa: N806 - a class
    Validator.check_schema(schema)
    line = Validator(schema)
    of_photo, of_face = (Validator({**schema, "$ref": f"#/$defs/{name}"}) for name in ("PhotoRow", "FaceRow"))
    for photo in PHOTOS_MADE[:10]:
        line.validate(photo.model_dump(mode="json"))
        of_photo.validate(vars(photo_row(photo, about)))
        for row in face_rows(photo, about):
            of_face.validate(vars(row))
    assert not of_face.is_valid({"custom_id": 1})


def test_every_option_and_threshold_has_its_column() -> None:
    for row in (PhotoRow, FaceRow):
        named = {column.name for column in columns(row)}
        assert {f"option_{name}" for name in AnalysisOptions.model_fields} <= named
        assert {f"threshold_{name}" for name in Thresholds.model_fields} <= named


@pytest.mark.parametrize("row", [PhotoRow, FaceRow])
def test_every_column_is_told_of(row: type[PhotoRow | FaceRow]) -> None:
    kinds = {"text": str, "integer": int, "number": float, "truth": bool}
    for column in columns(row):
        assert column.told.meaning.endswith("."), column.name
        assert isinstance(column.told.example, kinds[column.kind]), column.name


def test_what_the_page_for_researchers_does_can_be_done(about: About, tmp_path: Path) -> None:
    require(find_spec("pandas"), "pandas is not installed", essential=False)
    for name, table in (("photos", PHOTOS), ("faces", FACES), ("low-confidence-faces", LOW_CONFIDENCE_FACES)):
        text = table.head() + table.lines(PHOTOS_MADE, about)
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    page = (REPOSITORY / "docs" / "researchers.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    said = "".join(
        f"\nassert ({label}_uncertain == faces.{label}_uncertain).mean() > 0.9"
        for label in ("gender", "age_group")
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks) + said], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "60 photos" in done.stdout
    assert "apparent women" in done.stdout


def test_the_page_for_researchers_reads_names_as_text_in_r_too(about: About, tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "researchers.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```r\n(.*?)```", page, re.DOTALL)
    (in_r,) = re.findall(r"text <- c\((.*?)\)", block)
    (in_pandas,) = re.findall(r"dict.fromkeys\(\[(.*?)\]", page)
    text, also = ({name.strip('" ') for name in names.split(",")} for names in (in_r, in_pandas))
    assert text >= also
    # R warns of a class for a column that is not there, and fails where a cell is not of it.
    for row in (PhotoRow, FaceRow):
        assert text <= {column.name for column in columns(row) if column.kind == "text"}
    require(which("Rscript"), "R is not installed", essential=False)
    # With all of them numbers, R would make numbers of the column.
    named = [photo.model_copy(update={"custom_id": f"{n:04}"}) for n, photo in enumerate(PHOTOS_MADE)]
    for name, table in (("photos", PHOTOS), ("faces", FACES)):
        text_of_table = table.head() + table.lines(named, about)
        (tmp_path / f"{name}.csv").write_text(text_of_table, encoding="utf-8", newline="")
    script = f'{block}\nstopifnot(photos$custom_id[8] == "0007", is.logical(faces$gender_uncertain))'
    done = subprocess.run(["Rscript", "-e", script], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_rows_of_csv_fit_the_schema_as_the_page_says(about: About, tmp_path: Path) -> None:
    page = tables_page.PAGE.read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "results.schema.json").write_text(tables_page.schema(), encoding="utf-8")
    for table, row in ((PHOTOS, "PhotoRow"), (FACES, "FaceRow")):
        text = table.head() + table.lines(PHOTOS_MADE, about)
        (tmp_path / "faces.csv").write_text(text, encoding="utf-8", newline="")
        asked = [sys.executable, "-c", block.replace("FaceRow", row)]
        done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_the_citation_is_of_this_version() -> None:
    said = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    assert (said["cff-version"], said["version"], said["license"]) == ("1.2.0", VERSION, "Apache-2.0")
    assert said["message"]
    assert said["title"]
    assert said["authors"]
    # Without it a citation has no year. Once a release has a heading, it has its day.
    day = date.fromisoformat(said["date-released"])
    changes = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(rf"^## \[{re.escape(VERSION)}\] - (\S+)$", changes, re.MULTILINE) in ([], [str(day)])
