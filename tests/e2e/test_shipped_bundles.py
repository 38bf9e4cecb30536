"""The bundles that come with the product, from the command to the results."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.bundles.manifest import read_manifest
from shared.settings import REPOSITORY, Settings
from tests.support.command import Nightshift, results, write_portraits


@pytest.mark.parametrize("name", ["faces-mobilenet", "utkface-v2s"])
def test_a_folder_runs_under_each(tmp_path: Path, name: str) -> None:
    write_portraits(tmp_path / "party", 2)
    flags = () if name == Settings().bundle else ("--bundle", name)

    done = Nightshift(tmp_path).run("run", "party", *flags, "--out", "out", "--no-report")

    assert done.returncode == 0, done.stderr
    lines = results(tmp_path / "out")
    assert len(lines) == 2
    for line in lines:
        assert line["bundle"]["sha256"] == read_manifest(REPOSITORY / "weights" / name).sha256
        (face,) = line["faces"]
        assert face["gender"]["value"] == "female"
