"""A folder of raw files ends with faces; RAW+JPEG of one name are one photo, and the other half is told."""

from __future__ import annotations

import json
from pathlib import Path

from bench import samples
from tests.support.command import Nightshift, results
from tests.support.decoders import require_rawpy
from tests.support.pictures.drawn import encoded
from tests.support.pictures.raws import cr2, dng, nef
from tests.support.pictures.raws import jpeg as jpeg_of

require_rawpy()


def test_a_folder_of_raw_files_ends_with_faces(tmp_path: Path) -> None:
    nightshift = Nightshift(tmp_path)
    party = tmp_path / "party"
    party.mkdir()
    seen = samples.astronaut()
    lying = seen.rotate(90)
    (party / "DSC_1.NEF").write_bytes(nef(lying, preview=lying, orientation=6))
    (party / "DSC_2.dng").write_bytes(dng(seen))
    (party / "DSC_3.CR2").write_bytes(cr2(seen, preview=seen))
    (party / "DSC_3.JPG").write_bytes(jpeg_of(seen))
    (party / "DSC_4.ARW").write_bytes(b"no raw file")
    (party / "DSC_5.tif").write_bytes(encoded(seen, "TIFF"))
    before = {path: path.read_bytes() for path in party.iterdir()}

    done = nightshift.run("run", "party", "--out", "out", "--json")

    assert done.returncode == 3, done.stderr
    assert "5 photos (1 other file left alone: 1 RAW beside a JPEG)" in done.stderr
    report = json.loads(done.stdout)
    assert report["left_alone"] == {"RAW beside a JPEG": 1}
    assert report["failures"] == {"unsupported_format": 1}
    out = tmp_path / "out"
    lines = {line["custom_id"]: line for line in results(out)}
    assert {name: len(line["faces"]) for name, line in lines.items()} == {
        **dict.fromkeys(("DSC_1.NEF", "DSC_2.dng", "DSC_3.JPG", "DSC_5.tif"), 1),
        "DSC_4.ARW": 0,
    }
    assert lines["DSC_1.NEF"]["exif_orientation"] == 6
    pairs = [json.loads(line) for line in (out / "pairs.jsonl").read_text(encoding="utf-8").splitlines()]
    assert pairs == [{"custom_id": "DSC_3.JPG", "raw_file": "DSC_3.CR2"}]
    assert report["files"]["pairs"] == str(out / "pairs.jsonl")
    assert {path: path.read_bytes() for path in party.iterdir()} == before
    assert nightshift.processes() == []
