"""The libraries that analyse a photo keep what they do to themselves, and load no more than it takes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from shared.settings import REPOSITORY
from tests.support import samples

ANALYSES = """
import sys
from pathlib import Path

told = {"os.fork", "socket.connect", "socket.getaddrinfo"}
sys.addaudithook(lambda event, _: event in told and print(event, flush=True))

from nightshift.words.options import AnalysisOptions
from shared.settings import load_settings
from worker.parts import load_pipeline

options = AnalysisOptions()
pipeline = load_pipeline(load_settings(bundle=sys.argv[1], device="cpu", threads=1))
(found,) = pipeline.analyse([pipeline.decode(Path(sys.argv[2]).read_bytes(), options)], options)
print(len(found.faces), "face")
print("torch" in sys.modules)
"""


def test_an_analysis_connects_to_nothing_and_leaves_nothing_at_home(
    random_bundle: Path, tmp_path: Path
) -> None:
    photo, home = tmp_path / "photo.jpg", tmp_path / "home"
    photo.write_bytes(samples.astronaut_jpeg())
    home.mkdir()
    # In CI such libraries hold back.
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    ran = subprocess.run(
        [sys.executable, "-c", ANALYSES, str(random_bundle), str(photo)],
        cwd=REPOSITORY,
        env=environment | {"HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "1 face\nFalse\n"
    assert [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()] == []
