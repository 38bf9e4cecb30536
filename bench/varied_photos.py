"""A few photos made into many: as they are and mirrored, at several sizes, brighter and darker.

    python -m bench.varied_photos FROM TO [--count 1000]

For a benchmark that needs more photos than there are at hand. The same photos always give the same files.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps

from bench.photo_folder import photos_in, sampled

SCALES = (1.0, 0.7, 0.5, 1.4)
QUALITIES = (90, 84, 92, 88)
BRIGHTNESSES = (1.0, 0.97, 1.03, 0.94)


def write_varied(photos: Sequence[Path], folder: Path, count: int | None = None) -> list[Path]:
    """Write 32 JPEGs a photo, or so many in all, by finer steps of brightness; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    steps = BRIGHTNESSES if count is None else _steps(math.ceil(count / (len(photos) * len(SCALES) * 2)))
    everything = len(photos) * len(SCALES) * 2 * len(steps)
    chosen = set(sampled(range(everything), everything if count is None else count))
    number_of = itertools.count()
    written = []
    for number, path in enumerate(photos):
        with Image.open(path) as file:
            upright = ImageOps.exif_transpose(file).convert("RGB")
        for scale, quality in zip(SCALES, QUALITIES, strict=True):
            size = (max(1, round(upright.width * scale)), max(1, round(upright.height * scale)))
            scaled = upright.resize(size, Image.Resampling.LANCZOS)
            for way, image in (("", scaled), ("-mirrored", ImageOps.mirror(scaled))):
                for brightness in steps:
                    if next(number_of) not in chosen:
                        continue
                    out = folder / f"{number + 1:03}-{scale}{way}-{brightness}.jpg"
                    ImageEnhance.Brightness(image).enhance(brightness).save(out, "JPEG", quality=quality)
                    written.append(out)
    return written


def _steps(count: int) -> tuple[float, ...]:
    """From darker to brighter, each once."""
    return tuple(round(0.85 + 0.3 * (index + 0.5) / count, 5) for index in range(count))


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and write the folder."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.varied_photos", description="Make many photos of a few."
    )
    parser.add_argument("photos", type=Path, help="folder of photos")
    parser.add_argument("to", type=Path, help="folder to write to; made when it is not there")
    parser.add_argument("--count", type=int, help="how many photos in all (default: 32 of each)")
    given = parser.parse_args(arguments)
    print(f"{len(write_varied(photos_in(given.photos), given.to, given.count))} photos in {given.to}")  # noqa: T201


if __name__ == "__main__":
    main()
