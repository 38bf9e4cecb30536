"""The demo's photos: who is in them, where they come from, and the one that must fail."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from bench import people, sample_event
from tests.support.pictures.drawn import code_of


def test_an_event_has_as_many_photos_as_were_asked_for_and_a_copy(tmp_path: Path) -> None:
    paths = sample_event.write_event(tmp_path, 14)

    assert len(set(paths)) == 14
    contents = {path: path.read_bytes() for path in paths}
    assert len(set(contents.values())) == 13
    for path, data in contents.items():
        assert min(Image.open(io.BytesIO(data)).size) >= 400, path


def test_everybody_has_a_portrait_of_their_own() -> None:
    portraits = {guest: people.portrait(*guest, side_px=100).tobytes() for guest in people.GUESTS}

    assert len(people.GUESTS) == 8
    assert len(set(portraits.values())) == 8


def test_each_picture_names_a_licence_and_a_source() -> None:
    for line in people.credits_text().splitlines()[2:]:
        assert any(licence in line for licence in ("CC BY", "CC0", "public domain")), line
        assert "(Gramps)" in line or "(scikit-image)" in line, line


def test_the_command_adds_a_file_that_fails_and_the_credits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "photos"
    monkeypatch.setattr("sys.argv", ["sample_event", str(folder), "--count", "1"])

    sample_event.main()

    assert code_of((folder / sample_event.CUT_OFF).read_bytes()) == "corrupt_image"
    assert (tmp_path / "CREDITS.txt").read_text(encoding="utf-8") == people.credits_text()
    assert sample_event.CUT_OFF in capsys.readouterr().out
