"""A photo's way on the CPU, in a process in which torch and its company cannot be imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nightshift.words.analysis import Analysis
from nightshift.words.options import AnalysisOptions
from shared.settings import REPOSITORY, load_settings
from tests.support import samples
from worker.pipeline.analyse import build_pipeline

KEPT_OUT = ("torch", "torchvision", "facenet_pytorch")

ONE_PHOTO = f"""
import json, sys
for name in {KEPT_OUT}:
    sys.modules[name] = None  # importing it raises, and it is not found
import worker.check_bundle, worker.main, worker.parts, worker.slice, worker.sweeper, worker.unpack
from nightshift.words.options import AnalysisOptions
from shared.settings import load_settings
from worker.pipeline.analyse import build_pipeline
from worker.pipeline.decoding.decode import thumbnail

settings = load_settings(device="auto", threads=1, precision="fp32", bundle=sys.argv[2])
pipeline, options = build_pipeline(settings), AnalysisOptions(height=400)
photo = pipeline.decode(open(sys.argv[1], "rb").read(), options)
assert thumbnail(photo, 320)
(found,) = pipeline.analyse([photo], options)
(face,) = found.faces
box = [face.box.x1, face.box.y1, face.box.x2, face.box.y2]
print(json.dumps([pipeline.classifier.runtime, face.gender.probabilities, box]))
"""


@pytest.mark.parametrize("bundle", ["faces-mobilenet", "utkface-v2s"])
def test_a_photo_is_analysed_all_the_same(tmp_path: Path, bundle: str) -> None:
    data = samples.astronaut_jpeg(900)
    (tmp_path / "portrait.jpg").write_bytes(data)
    ran = subprocess.run(
        [sys.executable, "-c", ONE_PHOTO, str(tmp_path / "portrait.jpg"), bundle],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    runtime, gender, box = json.loads(ran.stdout)
    assert runtime == "openvino"
    pipeline = build_pipeline(load_settings(device="cpu", threads=1, precision="fp32", bundle=bundle))
    options = AnalysisOptions(height=400)
    (found,) = pipeline.analyse([pipeline.decode(data, options)], options)
    assert isinstance(found, Analysis)
    (face,) = found.faces
    assert gender == pytest.approx(face.gender.probabilities, abs=1e-4)
    assert box == pytest.approx([face.box.x1, face.box.y1, face.box.x2, face.box.y2], abs=0.01)
