import socket
from pathlib import Path

import pytest

from nightshift.embedded.environment import environment
from nightshift.embedded.serve import listen
from nightshift.embedded.service import check_bundle
from nightshift.words.errors import ModelUnavailable, NightshiftError
from shared.bundles.manifest import MANIFEST, TENSORS
from shared.settings import REPOSITORY, Settings, load_settings


def test_a_taken_port_is_said() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(NightshiftError, match=f"127.0.0.1:{port}"):
            listen("127.0.0.1", port)


def test_port_0_is_a_free_one() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert listener.family == socket.AF_INET
        assert listener.getsockname()[1] > 0


def test_a_child_reads_back_the_very_same_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(
        home=tmp_path, api_key="secret" * 6, in_place_roots='["/a:b"]', workers=3, lease_s=7.5
    )
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


def test_the_shipped_bundle_is_whole() -> None:
    settings, manifest = check_bundle(Settings())
    assert Path(settings.bundle).is_absolute()
    assert manifest.name == "faces-mobilenet"


def test_a_bundle_with_other_tensors_is_named(tmp_path: Path) -> None:
    bundle = tmp_path / "mine"
    bundle.mkdir()
    (bundle / MANIFEST).write_bytes((REPOSITORY / "weights" / "utkface-v2s" / MANIFEST).read_bytes())
    settings = Settings(weights_dir=tmp_path, bundle="mine")
    with pytest.raises(ModelUnavailable, match=str(bundle / TENSORS)):
        check_bundle(settings)
    (bundle / TENSORS).write_bytes(b"other")
    with pytest.raises(ModelUnavailable, match="is not the file that its manifest names"):
        check_bundle(settings)
