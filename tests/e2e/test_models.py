"""Two bundles over the same photos, with everything that takes; long, since each run starts it all."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.support.command import Nightshift, results, write_portraits
from tests.support.generated_bundle import write_random_bundle
from tests.support.samples import several_jpeg


@pytest.mark.soak
def test_two_bundles_over_the_same_photos(tmp_path: Path) -> None:
    random = write_random_bundle(tmp_path / "elsewhere" / "random")
    nightshift = Nightshift(tmp_path)
    write_portraits(tmp_path / "party", 2)
    (tmp_path / "party" / "cut.jpg").write_bytes(several_jpeg()[:2000])
    compare = ("models", "compare", "utkface-v2s", "elsewhere/random", "party", "--out", "out")

    first = nightshift.run(*compare)
    again = nightshift.run(*compare, "--json")

    assert first.returncode == again.returncode == 3, first.stderr
    assert "2 compared, 1 failed with both" in first.stdout
    told = json.loads(again.stdout)
    assert [told[side]["run"]["reused"] for side in "ab"] == [2, 2]
    assert (told["faces"], told["unpaired_faces"], told["failed"]["both"]) == (2, 0, 1)
    by = {line["bundle"]["sha256"] for line in results(tmp_path / "out" / "random") if line["bundle"]}
    assert by == {random.sha256}
    with (tmp_path / "out" / "random" / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["bundle"], row["bundle_sha256"]) for row in rows if row["face_index"]} == {
        (random.name, random.sha256)
    }
    assert nightshift.processes() == []
