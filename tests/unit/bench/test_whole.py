"""All measurements, part by part: what is done stays done when one fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import whole
from bench.photo_folder import photos_in
from bench.samples import astronaut_jpeg


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(astronaut_jpeg(60))
    return folder


def test_what_was_broken_off_is_taken_up_again(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes, begun, broken = tmp_path / "build" / "done.json", [], {"start"}

    def harmless(part: str, real: Path, many: Path) -> list[str]:
        begun.append((part, len(list(many.iterdir()))))
        return ["json.tool", "/no/such/file" if part in broken else "--help"]

    monkeypatch.setattr(whole, "command", harmless)
    parts = ["without-bf16", "start", "100"]
    assert whole.measure(parts, photos, notes) != 0
    assert (begun, list(json.loads(notes.read_text()))) == ([("without-bf16", 64), ("start", 0)], parts[:1])
    broken.clear()
    begun.clear()
    assert whole.measure(parts, photos, notes) == 0
    assert begun == [("start", 0), ("100", 0)]
    begun.clear()
    assert whole.measure(parts, photos, notes) == 0
    assert [part for part, _ in begun] == parts


@pytest.mark.parametrize("part", whole.PARTS)
def test_each_part_is_a_command_that_there_is(
    photos: Path, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, *arguments = whole.command(part, photos, photos)
    if module == "bench.footprint":
        assert arguments == [part, str(photos)]
        return
    from tests.support import needs_torch as _needs_torch  # noqa: F401

    from bench import run  # isort: skip

    given = run._arguments(arguments)
    assert photos_in(given.photos) and run.chosen(given.only)
    assert given.mode == ("" if part == "contest" else part)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "no_such_path: "),
        (["nowhere", "--parts", "start,laziness"], "laziness: there are contest"),
    ],
)
def test_what_will_not_do_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    try:
        assert whole.main(arguments) == 2
    except SystemExit as error:
        assert error.code == 2
    assert said in capsys.readouterr().err
