"""What keeps a run from writing its results is found before anything is started."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nightshift.embedded.run import Request, Run
from nightshift.machine.places import path_as_text
from nightshift.report import check_writable
from nightshift.results_folder import NOTE
from nightshift.words.errors import InvalidInput, NightshiftError
from tests.support.samples import no_face_jpeg


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "party"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(no_face_jpeg())

    def started(*_: object) -> Any:
        raise AssertionError("it was let in")

    monkeypatch.setattr("nightshift.embedded.run.check_bundle", started)
    return folder


def refused(photos: Path, out: Path, **wish: Any) -> NightshiftError:
    request = Request((photos,), out, False, {}, {"home": out.parent / "home"}, quiet=True, **wish)
    with pytest.raises(NightshiftError) as error:
        Run(request, Console(file=io.StringIO())).execute()
    assert not (out.parent / "home").exists()
    return error.value


def let_in(photos: Path, out: Path | None, **wish: Any) -> Run:
    request = Request((photos,), out, False, {}, {}, quiet=True, **wish)
    run = Run(request, Console(file=io.StringIO()))
    with pytest.raises(AssertionError, match="it was let in"):
        run.execute()
    return run


def test_results_of_others_stop_it_unless_they_are_to_be_replaced(tmp_path: Path, photos: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "faces.csv").write_text("mine")
    assert refused(photos, out).code == "results_in_the_way"
    assert (out / "faces.csv").read_text() == "mine"
    let_in(photos, out, overwrite=True)
    assert (out / "faces.csv").read_text() == "mine"


def test_a_place_that_is_none_stops_it(tmp_path: Path, photos: Path) -> None:
    (tmp_path / "file").touch()
    assert refused(photos, tmp_path / "file" / "out").code == "bad_out"
    (tmp_path / "results.csv").mkdir()
    assert refused(photos, tmp_path).code == "bad_out"


def test_a_disk_without_room_stops_it(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightshift.report.BYTES_A_PHOTO", 10**18)
    refusal = refused(photos, tmp_path / "out")
    assert refusal.code == "bad_out"
    assert re.search(
        r"its disk has [1-9][0-9.]* [kMGT]B left, and results take about 1\.0 EB", refusal.message
    )
    assert not (tmp_path / "out").exists()


def test_a_form_that_cannot_be_made_stops_it(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "xlsxwriter", None)
    assert refused(photos, tmp_path / "out", also=("xlsx",)).code == "tables_missing"


def test_nothing_is_left_of_the_trial(tmp_path: Path, photos: Path) -> None:
    let_in(photos, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["party"]


def test_the_default_folder_is_settled_once(tmp_path: Path, photos: Path) -> None:
    run = let_in(photos, None)
    assert run._out.parent == tmp_path / "nightshift-results"
    assert run._out.name.startswith("party-2")
    run._out.mkdir(parents=True)
    assert run._place.now() == run._out


def test_the_same_photos_are_let_in_again(tmp_path: Path, photos: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / NOTE).write_text(
        json.dumps({"format_version": 1, "job_id": "job_1", "paths": [path_as_text(photos)]})
    )
    let_in(photos, out)
    (out / "results.jsonl").write_text("")
    with pytest.raises(InvalidInput, match="changed since"):
        Run(Request((photos,), out, False, {}, {}, quiet=True), Console(file=io.StringIO())).execute()


def test_the_folder_of_the_photos_is_no_place(photos: Path, tmp_path: Path) -> None:
    refusal = refused(photos, photos)
    assert refusal.code == "bad_out"
    assert "is the folder of the photos" in refusal.message
    (tmp_path / "link").symlink_to(photos)
    assert refused(photos, tmp_path / "link").code == "bad_out"
    let_in(photos, photos / "out")


def test_a_name_that_no_disk_can_hold_stops_it(photos: Path, tmp_path: Path) -> None:
    for out in (tmp_path / ("x" * 256), tmp_path / "new" / ("x" * 256)):
        assert refused(photos, out).code == "bad_out"
    with pytest.raises(InvalidInput, match="File name too long"):
        check_writable(tmp_path.joinpath(*["x" * 200] * 30))
    assert refused(tmp_path / ("x" * 256), tmp_path / "out").code == "no_such_path"
    assert not (tmp_path / "new").exists()
