"""Where ONNX networks run, and what else they are not for."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightshift.words.errors import ModelUnavailable
from shared.settings import load_settings
from tests.support import samples
from tests.support.onnx_made import make_onnx_bundle
from worker.pipeline import analyse
from worker.pipeline.analyse import build_pipeline


def test_left_to_choose_they_run_on_the_cpu_where_there_is_cuda(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_onnx_bundle(tmp_path / "tiny")
    monkeypatch.setattr(analyse, "choose_device", lambda name: "cuda:0" if name == "auto" else name)
    settings = load_settings(weights_dir=tmp_path, bundle="tiny", device="auto", threads=1, precision="fp32")
    pipeline = build_pipeline(settings)
    assert (pipeline.bundle.device, pipeline.classifier.runtime) == ("cpu", "openvino")
    options = settings.default_job_options().analysis()
    (found,) = pipeline.analyse([pipeline.decode(samples.astronaut_jpeg(), options)], options)
    (face,) = found.faces  # type: ignore[union-attr]
    assert face.age_years is not None and 0 <= face.age_years <= 80


def test_asked_for_cuda_a_worker_does_not_start(tmp_path: Path) -> None:
    make_onnx_bundle(tmp_path / "tiny")
    with pytest.raises(ModelUnavailable) as caught:
        build_pipeline(load_settings(weights_dir=tmp_path, bundle="tiny", device="cuda"))
    assert caught.value.code == "device_unavailable"
    assert "the ONNX networks of tiny run by OpenVINO, and on the CPU alone" in caught.value.message


def test_a_worker_refuses_what_a_business_may_not_use(tmp_path: Path) -> None:
    make_onnx_bundle(tmp_path / "tiny", allowed="unknown")
    with pytest.raises(ModelUnavailable) as caught:
        build_pipeline(load_settings(weights_dir=tmp_path, bundle="tiny", require_commercial_use=True))
    assert caught.value.code == "commercial_use_not_allowed"
