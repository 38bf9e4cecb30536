"""Writes a small, made-up event: a folder of photos to try the product on.

    python -m bench.sample_event DIR [--count N]

Women and men, children and old people, alone and several to a picture, somebody out of focus in the
background; upright, mirrored, tilted, turned by EXIF, small and large, in JPEG, PNG and WebP, some without
a face, and a copy of the first. The command adds a file that a card reader has cut off, which must fail, and
CREDITS.txt beside the folder. The same call writes the same photos; a file that is there already under a
sample's name is replaced, others are left alone.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps

from bench.people import bystander, credits_text, group, picture, portrait
from bench.samples import astronaut, jpeg, no_face


def _mirrored(name: str) -> Image.Image:
    return ImageOps.mirror(picture(name))


def _turned(name: str, turn_deg: float) -> Image.Image:
    return portrait(name, side_px=900).rotate(-turn_deg, Image.Resampling.BICUBIC)


def _encoded(image: Image.Image, format: str) -> bytes:  # noqa: A002 - Pillow's own word
    out = io.BytesIO()
    image.save(out, format)
    return out.getvalue()


SCENES: tuple[tuple[str, Callable[[], Image.Image], Callable[[Image.Image], bytes]], ...] = (
    ("photographer.jpg", partial(picture, "photographer"), jpeg),
    ("couple.jpg", partial(picture, "couple"), partial(jpeg, exif_orientation=6)),
    ("grandfather.jpg", partial(picture, "old man"), jpeg),
    ("brothers.jpg", partial(picture, "brothers"), jpeg),
    ("no-guests.jpg", no_face, jpeg),
    ("table-of-six.jpg", group, partial(jpeg, exif_orientation=8)),
    ("bystander.jpg", bystander, jpeg),
    ("uncle.jpg", partial(_mirrored, "man"), partial(jpeg, exif_orientation=3)),
    ("tilted-right.jpg", partial(_turned, "photographer", 20), jpeg),
    ("tilted-left.jpg", partial(_turned, "astronaut", -30), jpeg),
    ("far-away.png", partial(group, 3, 4, side_px=200, first=2), partial(_encoded, format="PNG")),
    ("stage.webp", partial(astronaut, 1000), partial(_encoded, format="WEBP")),
)
"""File name, upright picture, encoder."""


CUT_OFF = "card-error.jpg"
"""The file that must fail."""


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
    (arguments.folder / CUT_OFF).write_bytes(paths[0].read_bytes()[:600])
    (arguments.folder.parent / "CREDITS.txt").write_text(credits_text(), encoding="utf-8")
    print(f"{len(paths)} sample photos in {arguments.folder}, and {CUT_OFF}, which is broken on purpose")  # noqa: T201


if __name__ == "__main__":
    main()
