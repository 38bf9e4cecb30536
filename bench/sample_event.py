"""Writes a small, made-up event: a folder of photos to try the product on.

    python -m bench.sample_event DIR [--count N]

Upright, mirrored, tilted, turned by EXIF, small and large, alone and several to a picture, in
JPEG, PNG and WebP, some without a face, and a copy of the first. The same call writes the same
photos; a file that is there already under a sample's name is replaced, others are left alone.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image, ImageEnhance

from bench.samples import astronaut, jpeg, no_face, several


def _encoded(image: Image.Image, format: str) -> bytes:  # noqa: A002 - Pillow's own word
    out = io.BytesIO()
    image.save(out, format)
    return out.getvalue()


SCENES: tuple[tuple[str, Callable[[], Image.Image], Callable[[Image.Image], bytes]], ...] = (
    ("stage.jpg", astronaut, jpeg),
    ("mirror.jpg", partial(astronaut, 800, mirrored=True), jpeg),
    ("tilted-right.jpg", partial(astronaut, 640, turn_deg=20), jpeg),
    ("no-guests.jpg", no_face, jpeg),
    ("tilted-left.jpg", partial(astronaut, 640, turn_deg=-30), jpeg),
    ("phone-on-its-side.jpg", partial(astronaut, 900), partial(jpeg, exif_orientation=6)),
    ("phone-upside-down.jpg", partial(astronaut, 900), partial(jpeg, exif_orientation=3)),
    ("pair.jpg", partial(several, 1, 2, side_px=600), jpeg),
    ("table-of-six.jpg", partial(several, 2, 3, side_px=400), partial(jpeg, exif_orientation=8)),
    ("large.jpg", partial(astronaut, 2400), jpeg),
    ("far-away.png", partial(several, 3, 4, side_px=200), partial(_encoded, format="PNG")),
    ("close.webp", partial(astronaut, 1000), partial(_encoded, format="WEBP")),
)
"""File name, upright picture, encoder."""


def write_event(folder: Path, count: int = 24) -> list[Path]:
    """Write `count` photos; returns their paths. From 3 on, the last is a copy of the first."""
    written = [_write_scene(folder, number) for number in range(count - 1 if count > 2 else count)]
    if count > 2:
        copy = folder / "copies" / written[0].name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(written[0].read_bytes())
        written.append(copy)
    return written


def _write_scene(folder: Path, number: int) -> Path:
    evening, scene = divmod(number, len(SCENES))
    name, make, encode = SCENES[scene]
    # Each evening is a little darker, so that no two files are equal.
    light = 1.0 - 0.4 * evening / (evening + 3)
    path = folder / f"evening-{evening + 1}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(ImageEnhance.Brightness(make()).enhance(light)))
    return path


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
