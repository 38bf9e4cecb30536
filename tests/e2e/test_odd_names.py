"""Photos, folders and a home of any name, under locales that know no more than ASCII."""

import csv
import json
import os
from pathlib import Path

import pytest

from tests.support.command import Nightshift, results
from tests.support.samples import no_face_jpeg

ODD_HOME = os.fsdecode(b"no #2? 100% \xff'x\"@")
NAMES = [
    "party\u2028night.jpg",
    "party\u0085night\u2029.jpg",
    "line\nfeed\ttab\x0b\x0c\x1c.jpg",
    "quote'\"\\.jpg",
    "cafe\u0301.jpg",
    "caf\u00e9.jpg",
    "a" * 251 + ".jpg",
    "#1?100%25 $x;y.jpg",
    os.fsdecode(b"caf\xe9.jpg"),
]
SPELLED_OUT = {os.fsdecode(b"caf\xe9.jpg"): "caf\\xe9.jpg"}


class Odd(Nightshift):
    """With a home that is hard to write down."""

    @property
    def home(self) -> Path:
        return self.folder / ODD_HOME


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_odd_names_go_through_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    # Its bytes are UTF-8's, but not all of the way: what lies in it is opened by its bytes.
    photos = tmp_path / os.fsdecode(b"f\xf6lder \xe2\x80\xa8 #")
    photos.mkdir()
    for number, name in enumerate(NAMES):
        (photos / name).write_bytes(no_face_jpeg() + bytes([number]))
    nightshift = Odd(tmp_path)

    done = nightshift.run("run", str(photos), "--out", str(tmp_path / "out #?"), "--json")

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["counts"]["succeeded"] == len(NAMES)
    expected = sorted(SPELLED_OUT.get(name, name) for name in NAMES)
    out = tmp_path / "out #?"
    assert sorted(line["custom_id"] for line in results(out)) == expected
    with (out / "results.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(NAMES)
    pages = "".join(path.read_text("ascii") for path in (out / "report_files").rglob("page-*.js"))
    assert "caf\\\\xe9.jpg" in pages
    assert "party\\u2028night.jpg" in pages
    assert {path.name for path in tmp_path.iterdir()} == {photos.name, out.name, ODD_HOME}
    assert nightshift.home.stat().st_mode & 0o077 == 0
    assert nightshift.processes() == []
