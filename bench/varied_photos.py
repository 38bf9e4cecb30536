"""A few photos made into many: as they are and mirrored, at several sizes, brighter and darker.

    python -m bench.varied_photos FROM TO

For a benchmark that needs more photos than there are at hand. The same photos always give the same files.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps

from bench.photo_folder import photos_in

SCALES = (1.0, 0.7, 0.5, 1.4)
QUALITIES = (90, 84, 92, 88)
BRIGHTNESSES = (1.0, 0.97, 1.03, 0.94)


def write_varied(photos: Sequence[Path], folder: Path) -> list[Path]:
    """Write 32 JPEGs a photo; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, path in enumerate(photos):
        with Image.open(path) as file:
            upright = ImageOps.exif_transpose(file).convert("RGB")
        for scale, quality in zip(SCALES, QUALITIES, strict=True):
            size = (max(1, round(upright.width * scale)), max(1, round(upright.height * scale)))
            scaled = upright.resize(size, Image.Resampling.LANCZOS)
            for way, image in (("", scaled), ("-mirrored", ImageOps.mirror(scaled))):
                for brightness in BRIGHTNESSES:
                    out = folder / f"{number + 1:03}-{scale}{way}-{brightness}.jpg"
                    ImageEnhance.Brightness(image).enhance(brightness).save(out, "JPEG", quality=quality)
                    written.append(out)
    return written


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and write the folder."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.varied_photos", description="Make 32 photos of each."
    )
    parser.add_argument("photos", type=Path, help="folder of photos")
    parser.add_argument("to", type=Path, help="folder to write to; made when it is not there")
    given = parser.parse_args(arguments)
    print(f"{len(write_varied(photos_in(given.photos), given.to))} photos in {given.to}")  # noqa: T201


if __name__ == "__main__":
    main()
