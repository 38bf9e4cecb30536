"""What is compiled when Nightshift is installed is all that photos need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from shared.settings import REPOSITORY
from tests.support import samples

WAYS = ("0", "1e9")
"""By which the screens always pay, and never."""

COMPILE = """
import sys
from worker.compile_loops import main
from worker.pipeline.detection import screen

screen.PAYS_FROM = 1e9
sys.exit(main())
"""

ONE_PHOTO = """
import sys
from nightshift.words.options import AnalysisOptions
from shared.settings import load_settings
from worker.pipeline.analyse import build_pipeline
from worker.pipeline.detection import screen

screen.PAYS_FROM = float(sys.argv.pop(1))
pipeline, options = build_pipeline(load_settings(threads=1, precision="fp32")), AnalysisOptions()
for path in sys.argv[1:]:
    (found,) = pipeline.analyse([pipeline.decode(open(path, "rb").read(), options)], options)
    assert len(found.faces) == 1
"""


def kept_loops(cache: Path, *command: str) -> set[str]:
    """Compiled loops that lie there after a process has ended."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    subprocess.run([sys.executable, *command], cwd=REPOSITORY, env=environment, check=True)
    return {path.name for path in cache.rglob("*.nbc")}


def test_no_loop_is_left_for_the_first_photos(tmp_path: Path) -> None:
    """Nor where a worker finds another way of detection faster than who compiled them did."""
    photos = [tmp_path / "small.jpg", tmp_path / "large.jpg"]
    for path, side in zip(photos, (400, 1400), strict=True):
        path.write_bytes(samples.astronaut_jpeg(side))
    compiled = kept_loops(tmp_path / "cache", "-c", COMPILE)
    assert compiled
    for way in WAYS:
        assert kept_loops(tmp_path / "cache", "-c", ONE_PHOTO, way, *map(str, photos)) == compiled
