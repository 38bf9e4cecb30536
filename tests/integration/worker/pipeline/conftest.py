"""The real detector and the shipped weights, loaded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.settings import load_settings
from tests.support.generated_bundle import write_random_bundle
from tests.support.reference_data import SHIPPED_BUNDLE
from worker.pipeline.analyse import Pipeline, build_pipeline
from worker.pipeline.detection.detect import Detector
from worker.pipeline.runtime import use_threads


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """More than one is slower as soon as anything else wants the cores."""
    use_threads(1)


@pytest.fixture(scope="session")
def detector() -> Detector:
    return Detector()


@pytest.fixture(scope="session")
def pipeline() -> Pipeline:
    """On the CPU, so that the answers are the same on every machine."""
    if not (SHIPPED_BUNDLE / "model.safetensors").is_file():
        pytest.skip("the weights utkface-v2s are not there")
    return build_pipeline(load_settings(bundle=str(SHIPPED_BUNDLE), device="cpu", threads=1))


@pytest.fixture(scope="session")
def random_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained weights of 64 px."""
    folder = tmp_path_factory.mktemp("weights") / "small"
    write_random_bundle(folder, size=64)
    return folder
