"""All measurements of docs/performance.md in one go, part by part; what was broken off is taken up again.

    python -m bench.whole PHOTOS [--parts contest,start] [--again]

It takes some real photos, which it makes into many. A part that is done is noted in build/bench-done.json and
skipped by the next call, until all that were asked for are done, or with `--again`. By estimate it takes
twenty minutes on two cores; a job of 10,000 photos, `--parts 10000`, ten to twenty more.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import report
from bench.mode import WITHOUT_BF16
from bench.photo_folder import photos_in
from bench.varied_photos import write_varied
from nightshift.words.errors import NightshiftError
from shared.settings import REPOSITORY

DONE = REPOSITORY / "build" / "bench-done.json"
COMPARED = "plain,pipeline,queue-2,peer,pipeline-384,queue-2-384"
PARTS = ("contest", WITHOUT_BF16, "install", "start", "memory", "100", "1000")
"""Of the default; any other number of photos is a part, too."""

CONTEST_PHOTOS, FEWER_PHOTOS = 192, 64


def command(part: str, real: Path, many: Path) -> list[str]:
    """Of one part.

    Args:
        part: see `PARTS`.
        real: folder of the photos that were given.
        many: folder of as many as the contests need, made of them.
    """
    source = f"{len(photos_in(real))} real photos, made into many by size, mirroring and brightness"
    contest = ["bench.run", str(many), "--rounds", "2", "--source", source]
    if part == "contest":
        return [*contest, "--name", "photos"]
    if part == WITHOUT_BF16:
        return [*contest, "--name", f"photos-{part}", "--mode", part, "--only", COMPARED]
    return ["bench.footprint", part, str(real)]


def photos_of(part: str) -> int:
    """How many photos a contest needs; 0 for what makes its own."""
    return {"contest": CONTEST_PHOTOS, WITHOUT_BF16: FEWER_PHOTOS}.get(part, 0)


def measure(parts: Sequence[str], real: Path, notes: Path = DONE, *, again: bool = False) -> int:
    """Run the parts that are not done, and note each; 0, or the exit status of the one that failed."""
    done: dict[str, float] = {} if again or not notes.exists() else json.loads(notes.read_text())
    if all(part in done for part in parts):
        done = {}
    for part in parts:
        if part in done:
            _say(f"== {part} is done")
            continue
        _say(f"== {part}")
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="nightshift-whole-") as folder:
            if count := photos_of(part):
                write_varied(photos_in(real), Path(folder), count)
            code = subprocess.run(  # noqa: S603 - our own command line, no shell
                [sys.executable, "-m", *command(part, real, Path(folder))], cwd=REPOSITORY, check=False
            ).returncode
        if code:
            _say(f"== {part} failed; the same command goes on with it")
            return code
        done[part] = round(time.monotonic() - started)
        notes.parent.mkdir(parents=True, exist_ok=True)
        notes.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
        _say(f"== {part}: {done[part]:.0f} s")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """0 when all is measured; 2 for photos or parts that will not do; 130 when it was interrupted."""
    parser = argparse.ArgumentParser(prog="python -m bench.whole", description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="folder of some real photos")
    parser.add_argument("--parts", default=",".join(PARTS), help="separated by commas (default: %(default)s)")
    parser.add_argument("--again", action="store_true", help="measure also what is done already")
    given = parser.parse_args(argv)
    parts = [part.strip() for part in given.parts.split(",") if part.strip()]
    if unknown := [part for part in parts if part not in PARTS and not part.isdigit()]:
        parser.error(f"{', '.join(unknown)}: there are {', '.join(PARTS)}, and numbers of photos")
    try:
        photos_in(given.photos)
        if code := measure(parts, given.photos.absolute(), again=given.again):
            return code
        report.write(report.committed())
    except NightshiftError as error:
        _say(f"{error.code}: {error.message}")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
