"""What is in the repository, and what may not be."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

from shared.bundles import detector
from shared.bundles.manifest import TENSORS
from shared.settings import REPOSITORY
from tests.support.requirements import require

OF_THE_SERVICE = {"nightshift.bundles", "nightshift.embedded"}
"""What the command has in a checkout only."""

IMAGES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".heic", ".heif", ".avif"}

# Home folders and the like; a path that everybody has, such as /tmp or /proc, says nothing of a machine.
MACHINE_PATH = re.compile(r"(?<![\w.}/~-])/(?:root|home|Users|work|workspace|mnt|media)/\w+")


@cache
def files() -> tuple[Path, ...]:
    """Every file that git has or would add, relative to the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
    )
    require(listed.returncode == 0, "not a git checkout", essential=False)
    names = listed.stdout.decode().split("\0")
    return tuple(Path(name) for name in names if name and (REPOSITORY / name).is_file())


def packages_of(top: str) -> set[str]:
    """Dotted names of the folders under `top` that are packages."""
    found = {path.parent for path in files() if path.name == "__init__.py"}
    return {".".join(folder.parts) for folder in found if folder.parts[0] == top}


def project() -> dict[str, object]:
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


def test_a_wheel_is_the_client_and_nothing_else() -> None:
    listed = project()["tool"]["setuptools"]["packages"]  # type: ignore[index]

    assert set(listed) == packages_of("nightshift") - OF_THE_SERVICE


def test_every_folder_of_code_is_a_package() -> None:
    folders = {path.parent for path in files() if path.suffix == ".py"}

    assert [str(folder) for folder in folders if folder / "__init__.py" not in files()] == []


def test_tests_lie_where_what_they_test_lies() -> None:
    """A file of tests of one package is in a folder of that package's path; helpers are in tests/support."""
    packages = {path.parent for path in files() if path.name == "__init__.py"}
    ours = [path for path in files() if path.suffix == ".py" and path.parts[0] == "tests"]
    kinds = (Path("tests/unit"), Path("tests/integration"))
    mirrored = {path.parent.relative_to(kind) for kind in kinds for path in ours if path.is_relative_to(kind)}

    assert mirrored - packages == {Path()}
    assert [
        path
        for path in ours
        if not path.is_relative_to("tests/support")
        and not path.name.startswith("test_")
        and path.name not in {"__init__.py", "conftest.py"}
    ] == []


# Made from the freely licensed samples.
PICTURES = {Path("docs/images") / name for name in ("report.png", "page-faces.png", "page-viewer.png")}


def test_no_photos_are_committed() -> None:
    assert {path for path in files() if path.suffix.lower() in IMAGES} == PICTURES


def test_only_weights_are_large() -> None:
    large = {path for path in files() if (REPOSITORY / path).stat().st_size > 500_000}

    assert {path.name for path in large} <= {TENSORS, detector.TENSORS}


def test_no_path_of_a_machine_is_written_down() -> None:
    found = []
    for path in files():
        if path == Path(__file__).relative_to(REPOSITORY):
            continue
        try:
            text = (REPOSITORY / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path}: {match[0]}" for match in MACHINE_PATH.finditer(text)]

    assert found == []


def test_constraints_are_exact_and_name_no_place() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    versions = [line for line in lines if not line.startswith("#")]

    assert len(versions) > 100
    assert [line for line in versions if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


def test_constraints_know_every_requirement() -> None:
    named = re.compile(r"^[\w.-]+")

    def normal(requirement: str) -> str:
        found = named.match(requirement)
        assert found
        return re.sub(r"[-_.]+", "-", found[0]).lower()

    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {normal(line) for line in lines if not line.startswith("#")}
    about = project()["project"]
    wanted = [*about["dependencies"]]  # type: ignore[index]
    for extra in about["optional-dependencies"].values():  # type: ignore[index]
        wanted += extra

    assert {normal(requirement) for requirement in wanted} - pinned == {"nightshift-photos"}


def test_the_api_image_runs_without_what_only_workers_have() -> None:
    """Everything that docker-compose.yml starts from it, with the networks' packages out of reach."""
    hidden = ("torch", "torchvision", "facenet_pytorch", "numpy", "PIL", "pillow_heif", "safetensors")
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({hidden!r}));"
        " import api.app, api.gunicorn_hooks, shared.db.migrate, worker.sweeper, worker.healthy"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
