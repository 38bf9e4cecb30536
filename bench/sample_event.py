"""Writes a small, made-up event: a folder of photos to try the product on.

    python -m bench.sample_event DIR [--count N]

Upright, mirrored, tilted, turned by EXIF, small and large, alone and several to a picture, in
JPEG, PNG and WebP, with a photo without faces and a copy of the first one. The same call writes
the same photos; files that are in the folder already are replaced when they have a sample's name.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from bench import samples

Scene = Callable[[float], tuple[Image.Image, int, str]]
"""From a brightness to the upright picture, its EXIF orientation and its file name's ending."""

SCENES: tuple[tuple[str, Scene], ...] = (
    ("stage", lambda light: (_lit(samples.astronaut(), light), 1, ".jpg")),
    ("mirror", lambda light: (_lit(samples.mirrored(samples.astronaut(800)), light), 1, ".jpg")),
    ("tilt-right", lambda light: (_lit(samples.tilted(samples.astronaut(640), 20), light), 1, ".jpg")),
    ("tilt-left", lambda light: (_lit(samples.tilted(samples.astronaut(640), -30), light), 1, ".jpg")),
    ("phone-on-its-side", lambda light: (_lit(samples.astronaut(900), light), 6, ".jpg")),
    ("phone-upside-down", lambda light: (_lit(samples.astronaut(900), light), 3, ".jpg")),
    ("pair", lambda light: (_lit(_group(2, 480), light), 1, ".jpg")),
    ("table-of-six", lambda light: (_lit(_group(6, 360), light), 8, ".jpg")),
    ("large", lambda light: (_lit(samples.astronaut(2400), light), 1, ".jpg")),
    ("far-away", lambda light: (_lit(_group(12, 150), light), 1, ".png")),
    ("close", lambda light: (_lit(samples.portrait(700), light), 1, ".webp")),
    ("coffee", lambda light: (_lit(samples.without_faces(), light), 1, ".jpg")),
)


def _lit(picture: Image.Image, light: float) -> Image.Image:
    return samples.brightened(picture, light)


def _group(people: int, side_px: int) -> Image.Image:
    one = samples.portrait(side_px)
    faces = [samples.mirrored(one) if place % 2 else one for place in range(people)]
    return samples.side_by_side(faces, columns=min(people, 4) if people != 6 else 3)


def write_event(folder: Path, count: int = 24) -> list[Path]:
    """Write `count` photos; returns their paths. The last of 3 or more is a copy of the first."""
    written: list[Path] = []
    for number in range(count):
        if number >= 2 and number == count - 1:
            copy = folder / "copies" / written[0].name
            copy.parent.mkdir(parents=True, exist_ok=True)
            written.append(Path(shutil.copyfile(written[0], copy)))
            break
        evening, scene = divmod(number, len(SCENES))
        name, make = SCENES[scene]
        # Each evening has its own light, so that no two files are equal.
        picture, orientation, ending = make(1.0 - 0.2 * evening / (evening + 3))
        path = folder / f"evening-{evening + 1}" / f"{name}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        stored, exif = samples.as_camera_stores(picture, orientation)
        stored.save(path, exif=exif, quality=90)
        written.append(path)
    return written


def main() -> None:
    """Read the command line and write the folder."""
    parser = argparse.ArgumentParser(prog="python -m bench.sample_event", description="Write sample photos.")
    parser.add_argument("folder", type=Path, help="where to; made when it is not there")
    parser.add_argument("--count", type=int, default=24, help="how many photos (default: 24)")
    arguments = parser.parse_args()
    if arguments.count < 1:
        parser.error("--count must be 1 or more")
    paths = write_event(arguments.folder, arguments.count)
    print(f"{len(paths)} sample photos in {arguments.folder}")  # noqa: T201


if __name__ == "__main__":
    main()
