"""Larger previews, where they are wished for, and not taken over from a run that had none."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from bench.samples import astronaut_jpeg
from tests.support.command import Nightshift


def sides_of(out: Path) -> set[int]:
    """Longest sides of the report's previews."""
    return {max(Image.open(path).size) for path in (out / "report_files").rglob("*.webp")}


def test_a_report_has_previews_as_large_as_wished(tmp_path: Path) -> None:
    nightshift = Nightshift(tmp_path)
    party = tmp_path / "party"
    party.mkdir()
    (party / "large.jpg").write_bytes(astronaut_jpeg(1400))
    for out, wish, side, reused in (
        ("small", (), 320, 0),
        # A larger one cannot be made of it: the photo is looked at again.
        ("large", ("--preview-px", "800"), 800, 0),
        ("again", ("--preview-px", "800"), 800, 1),
        # No larger than the photo as the detector sees it.
        ("largest", ("--preview-px", "1600"), 1080, 0),
    ):
        done = nightshift.run("run", "party", "--out", out, "--json", *wish)
        assert done.returncode == 0, done.stderr
        assert (sides_of(tmp_path / out), json.loads(done.stdout)["reused"]) == ({side}, reused), out
