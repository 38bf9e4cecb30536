"""Every kind of photo in one batch: the odd ones are dealt with, and the good one keeps its face."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nightshift.words.analysis import Analysis
from nightshift.words.errors import Unreadable
from nightshift.words.options import AnalysisOptions
from tests.support import samples
from tests.support.generated_bundle import write_random_bundle
from tests.support.pictures.drawn import encoded, png_chunk
from worker.pipeline.analyse import Pipeline
from worker.pipeline.bundle import load_bundle
from worker.pipeline.decoding.decode import DecodedPhoto

OPTIONS = AnalysisOptions()

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = tmp_path_factory.mktemp("weights") / "small"
    write_random_bundle(folder, size=64)
    return Pipeline(load_bundle(folder))


def portrait() -> Image.Image:
    return samples.astronaut(400)


def wide() -> Image.Image:
    return Image.fromarray(np.asarray(portrait().convert("L")).astype(np.uint16) * 257)


def frames(image_format: str, **options: Any) -> bytes:
    other = Image.new("RGB", (400, 400), "white")
    return encoded(portrait(), image_format, save_all=True, append_images=[other], **options)


def palette_with_alpha() -> bytes:
    image = portrait().quantize(250)
    return encoded(image, "PNG", transparency=bytes([255] * 249 + [0]))


FACES = {
    "JPEG": lambda: encoded(portrait(), "JPEG", quality=90),
    "progressive JPEG": lambda: encoded(portrait(), "JPEG", quality=90, progressive=True),
    "JPEG in CMYK": lambda: encoded(portrait().convert("CMYK"), "JPEG", quality=90),
    "JPEG in grey": lambda: encoded(portrait().convert("L"), "JPEG", quality=90),
    "PNG": lambda: encoded(portrait(), "PNG"),
    "PNG, 16 bits": lambda: encoded(wide(), "PNG"),
    "PNG, palette with alpha": palette_with_alpha,
    "animated PNG": lambda: frames("PNG"),
    "WebP": lambda: encoded(portrait(), "WEBP"),
    "animated WebP": lambda: frames("WEBP"),
    "TIFF": lambda: encoded(portrait(), "TIFF", compression="tiff_lzw"),
    "TIFF, two pages": lambda: frames("TIFF"),
    "BMP": lambda: encoded(portrait(), "BMP"),
    "animated GIF": lambda: frames("GIF"),
    "HEIC": lambda: encoded(portrait(), "HEIF", quality=80),
    "AVIF": lambda: encoded(portrait(), "AVIF", quality=80),
}


@pytest.mark.parametrize("make", FACES.values(), ids=FACES.keys())
def test_the_face_is_found_in_every_format(make: Any, small: Pipeline) -> None:
    (found,) = small.analyse([small.decode(make(), OPTIONS)], OPTIONS)
    assert isinstance(found, Analysis)
    (face,) = found.faces
    box, scale = samples.FACE_BOX, 400 / 512
    assert abs((face.box.x1 + face.box.x2) / 2 - (box[0] + box[2]) / 2 * scale) < 15
    assert abs((face.box.y1 + face.box.y2) / 2 - (box[1] + box[3]) / 2 * scale) < 20


def bomb() -> bytes:
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, body) for kind, body in chunks)


def cut(image_format: str) -> bytes:
    data = encoded(portrait(), image_format)
    return data[: len(data) // 2]


BAD = {
    "nothing": (b"", "unsupported_format"),
    "text": (b"This is a text that is called photo.jpg.\n", "unsupported_format"),
    "bomb": (bomb(), "too_many_pixels"),
    "JPEG 2000": (encoded(portrait(), "JPEG2000"), "unsupported_format"),
    **{
        f"half a {image_format}": (cut(image_format), "corrupt_image")
        for image_format in ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "HEIF", "AVIF")
    },
}

EMPTY = [(1, 1), (1, 2), (10, 20_000), (20_000, 10), (1, 65_000), (65_000, 1), (12, 12), (3, 1080)]


def test_in_one_batch_with_everything_bad_the_good_photo_keeps_its_face(small: Pipeline) -> None:
    photos: list[DecodedPhoto] = []
    names: list[str] = []
    for size in EMPTY:
        data = encoded(Image.new("RGB", size, (130, 120, 110)), "PNG", compress_level=1)
        photos.append(small.decode(data, OPTIONS))
        names.append(f"{size[0]} x {size[1]}")
    photos.insert(4, small.decode(samples.astronaut_jpeg(), OPTIONS))
    names.insert(4, "good")
    for name, (data, code) in BAD.items():
        with pytest.raises(Unreadable) as caught:
            small.decode(data, OPTIONS)
        assert caught.value.code == code, name
        assert caught.value.message
    found = dict(zip(names, small.analyse(photos, OPTIONS), strict=True))
    good = found.pop("good")
    assert isinstance(good, Analysis) and len(good.faces) == 1
    (alone,) = small.analyse([photos[4]], OPTIONS)
    assert isinstance(alone, Analysis)
    assert [face.box for face in alone.faces] == [face.box for face in good.faces]
    for name, analysis in found.items():
        assert isinstance(analysis, Analysis), f"{name}: {analysis}"
        assert analysis.faces == (), name


def test_a_face_on_a_transparent_ground_is_found(small: Pipeline) -> None:
    image = portrait().convert("RGBA")
    alpha = Image.new("L", image.size, 0)
    alpha.paste(255, (80, 20, 280, 260))
    image.putalpha(alpha)
    for data in (encoded(image, "PNG"), encoded(image, "WEBP", lossless=True)):
        (found,) = small.analyse([small.decode(data, OPTIONS)], OPTIONS)
        assert isinstance(found, Analysis) and len(found.faces) == 1
        assert Image.open(io.BytesIO(data)).mode == "RGBA"
