"""`run --bundle`: the weights of one run, whatever the setting says."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from nightshift.embedded.run import Request, Run
from nightshift.exits import Exit
from tests.support.bundles_made import make_bundle
from tests.unit.nightshift.test_cli import invoke


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    refused = invoke("run", str(tmp_path / "a.jpg"), "--bundle", "nowhere")
    assert refused.exit_code == Exit.USAGE
    assert "no manifest.json of bundle 'nowhere'" in refused.stderr
    assert "; there are faces-mobilenet, utkface-v2s (`nightshift models list`)" in refused.stderr
    assert refused.stderr.endswith("(bundle_not_found)\n")


def test_it_goes_before_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = make_bundle(tmp_path / "broken", architecture="resnet50")
    monkeypatch.setenv("NIGHTSHIFT_BUNDLE", str(make_bundle(tmp_path / "whole")))
    (tmp_path / "a.jpg").touch()
    refused = invoke("run", str(tmp_path / "a.jpg"), "--bundle", str(broken))
    assert refused.exit_code == Exit.UNAVAILABLE
    assert "architecture: must be 'efficientnet_v2_s', 'mobilenet_v1' or 'onnx'" in refused.stderr


def test_an_interrupted_run_is_gone_on_with_under_the_same_weights(tmp_path: Path) -> None:
    request = Request(
        paths=(tmp_path,),
        out=None,
        resume=False,
        options={},
        settings={"home": tmp_path, "bundle": "my weights"},
    )
    again = Run(request, Console())._again()
    assert again == f"nightshift run --resume --home {tmp_path} --bundle 'my weights'"
