"""The client's wheel holds `nightshift` alone, needs little, and works beside anybody's names."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nightshift.words.version import VERSION
from shared.queue.finish import finish_if_done
from shared.settings import REPOSITORY
from tests.support.gunicorn_server import running_server
from tests.support.queue_rows import rules, save_all, take
from tests.support.service import ROOT_KEY

PARTS = ("nightshift", "api", "shared", "worker", "migrations", "pyproject.toml", "README.md", "LICENSE")


@dataclass
class Installed:
    """An environment with the wheel in it, and a folder in which somebody has files of their own."""

    bin: Path
    here: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment there, without this checkout's paths."""
        return subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            cwd=self.here,
            env={"PATH": str(self.bin), "HOME": str(self.here)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def tell(self, script: str, *arguments: str) -> object:
        """Run a script that lies beside the user's own files; what it prints, as JSON."""
        (self.here / "script.py").write_text(BEGINNING + script)
        done = self.run("python", "script.py", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


BEGINNING = """
import asyncio, json, sys
from pathlib import Path
import api, migrations, shared, worker
assert {api.MINE, migrations.MINE, shared.MINE, worker.MINE} == {True}
import nightshift
from nightshift import AsyncClient, Client, Face, Job, NightshiftError, Photo
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git has of the checkout, as far as building looks at it."""
    folder = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", *PARTS],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((REPOSITORY / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(out), str(source))
    [built] = out.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder / "env")
    python = folder / "env" / "bin" / "python"
    pip("--python", str(python), "install", str(wheel))
    [packages] = (folder / "env" / "lib").glob("python*/site-packages")
    [own] = [each for each in distributions(path=[str(packages)]) if each.name == "nightshift-photos"]
    for needed in closure(own):
        lend(needed, packages)
    here = folder / "here"
    (here / "api").mkdir(parents=True)
    for name in ("api/__init__.py", "shared.py", "worker.py", "migrations.py"):
        (here / name).write_text("MINE = True\n")
    (here / "photo.jpg").write_bytes(b"a photo")
    yield Installed(python.parent, here)


def pip(*arguments: str) -> None:
    """Without a network, and without dependencies."""
    first = arguments.index("wheel" if "wheel" in arguments else "install") + 1
    command = [*arguments[:first], "--no-deps", "--no-index", *arguments[first:]]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *command],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def closure(of: Distribution) -> dict[str, Distribution]:
    """What it needs, and what that needs, without extras, as this environment has it."""
    found: dict[str, Distribution] = {}
    todo = [(of, "")]
    while todo:
        each, extra = todo.pop()
        for text in each.requires or ():
            needed = Requirement(text)
            if needed.marker is not None and not needed.marker.evaluate({"extra": extra}):
                continue
            name = canonicalize_name(needed.name)
            if name not in found:
                found[name] = distribution(name)
                todo += [(found[name], one) for one in ("", *needed.extras)]
    return found


def lend(name: str, packages: Path) -> None:
    """Have a package of this environment in another one's."""
    lent = distribution(name)
    for top in {file.parts[0] for file in lent.files or ()} - {"..", "__pycache__"}:
        (packages / top).symlink_to(Path(str(lent.locate_file(top))).resolve())


def test_it_holds_the_client_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "nightshift",
        f"nightshift_photos-{VERSION}.dist-info",
    }
    assert not [name for name in names if name.startswith(("nightshift/embedded", "nightshift/bundles"))]
    assert {"nightshift/py.typed", "nightshift/report_page/assets/report.html"} <= set(names)


def test_it_works_beside_anybodys_names(installed: Installed, tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        job_id = installed.tell(
            """
with Client(*sys.argv[1:]) as client:
    job = client.create_job(label="mine", deadline="8h", processing_window="00:00-23:59 Europe/Berlin")
    client.put_photo(job.id, "photo.jpg", Path("photo.jpg"))
    client.put_photo(job.id, "again.jpg", Path("photo.jpg"))
    assert isinstance(client.submit(job.id), Job)
    try:
        client.job("job_none")
    except NightshiftError as error:
        assert error.code == "job_not_found", error
    print(json.dumps(job.id))
""",
            server.url, ROOT_KEY,
        )  # fmt: skip
        held = take(server.database)
        assert held is not None
        save_all(server.database, held)
        with server.database.write() as session:
            assert finish_if_done(session, rules(), held.job_id)
        found = installed.tell(
            """
async def main():
    async with AsyncClient(*sys.argv[1:3]) as client:
        job = await client.wait(sys.argv[3], timeout_s=60)
        photos = [photo async for photo in client.results(job.id)]
        assert all(isinstance(photo, Photo) for photo in photos)
        assert all(isinstance(face, Face) for photo in photos for face in photo.faces)
        return [job.outcome, [photo.custom_id for photo in photos], (await client.summary(job.id)).faces]
print(json.dumps(asyncio.run(main())))
""",
            server.url, ROOT_KEY, str(job_id),
        )  # fmt: skip
        assert found == ["succeeded", ["photo.jpg", "again.jpg"], 2]
        to = ("--server", server.url, "--api-key", ROOT_KEY)
        shown = installed.run("nightshift", "status", str(job_id), "--json", *to)
        assert json.loads(shown.stdout)["outcome"] == "succeeded", shown.stderr
        report = installed.run("nightshift", "report", str(job_id), "--out", "report", *to)
        assert report.returncode == 0, report.stderr
        assert VERSION in next((installed.here / "report").rglob("data.js")).read_text()
        sent = installed.run("nightshift", "submit", "photo.jpg", *to)
        assert re.fullmatch(r"job_[0-9a-f]{32}\n", sent.stdout), sent.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["run", "photo.jpg"],
        ["serve"],
        ["worker", "--workers", "1"],
        ["admin", "doctor", "--json"],
        ["models", "list"],
        ["models"],
    ],
)
def test_what_needs_the_service_says_where_it_runs(installed: Installed, command: list[str]) -> None:
    done = installed.run("nightshift", *command)
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr == (
        "nightshift: this is the client alone: the service runs from a checkout of Nightshift,"
        " or from its image\n"
    )


def test_its_version_and_help_are_there(installed: Installed) -> None:
    assert installed.run("nightshift", "--version").stdout == f"{VERSION}\n"
    helped = installed.run("nightshift", "--help")
    assert helped.returncode == 0
    assert all(name in helped.stdout for name in ("submit", "models", "admin"))


def test_an_editable_installation_has_the_whole_checkout(source: Path, tmp_path: Path) -> None:
    """By its folder on the path: what is listed for the wheel would leave the service out."""
    build = "import sys; from setuptools.build_meta import build_editable; build_editable(sys.argv[1])"
    built = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)],
        cwd=source, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    [made] = tmp_path.glob("*.whl")
    [path] = [name for name in zipfile.ZipFile(made).namelist() if name.endswith(".pth")]
    assert zipfile.ZipFile(made).read(path).decode().split() == [str(source)]
