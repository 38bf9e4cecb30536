"""A process for decoders that are not trusted: a file at a time, within memory and time, without a word.

Nothing of the service is imported here but this file. `apart.py` is its other side, and says what is asked.
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

Answer = tuple[dict[str, Any], tuple[bytes | memoryview, ...]]
"""What is known of a picture, and its bytes."""

WALL_S = 600
"""Seconds after which a process ends that waits for something, whoever waits for it."""

_EXIF = {0: 1, 1: 2, 3: 3, 2: 4, 4: 5, 6: 6, 7: 7, 5: 8}
"""EXIF's orientation by LibRaw's bits: mirrored, upside down, sides swapped."""


def raw_preview(data: bytes, _: Mapping[str, Any]) -> Answer:
    """What a camera's raw file says of itself, and the largest JPEG in it, if there is one.

    Nothing that would unpack the sensor's values may be asked of it.
    """
    import rawpy

    with rawpy.RawPy() as raw:
        raw.open_buffer(io.BytesIO(data))
        sizes = raw.sizes
        known = {
            "width": sizes.width,
            "height": sizes.height,
            "sensor_pixels": sizes.raw_width * sizes.raw_height,
            "orientation": _EXIF.get(sizes.flip, 1),
        }
        try:
            preview: Any = raw.extract_thumb()
        except rawpy.LibRawError:
            return known, ()
        return known, (preview.data,) if preview.format == rawpy.ThumbFormat.JPEG else ()


def raw_developed(data: bytes, asked: Mapping[str, Any]) -> Answer:
    """The picture that a camera's raw file makes, in sRGB of 8 bits, as it lies on the sensor."""
    import rawpy

    with rawpy.RawPy() as raw:
        raw.open_buffer(io.BytesIO(data))
        pixels: Any = raw.postprocess(
            half_size=asked["half"],
            demosaic_algorithm=rawpy.DemosaicAlgorithm.PPG,
            use_camera_wb=True,
            gamma=(2.4, 12.92),
            user_flip=0,
        )
    height, width, channels = pixels.shape
    return {"width": width, "height": height, "channels": channels}, (memoryview(pixels).cast("B"),)


def jxl(data: bytes, _: Mapping[str, Any]) -> Answer:
    """A JPEG XL's first picture, upright, and its colour profile."""
    from pillow_jxl import Decoder

    _, info, pixels, profile, _ = Decoder(num_threads=0)(data)
    return {"mode": info.mode, "width": info.width, "height": info.height}, (pixels, profile or b"")


OPERATIONS: dict[str, Callable[[bytes, Mapping[str, Any]], Answer]] = {
    "raw_preview": raw_preview,
    "raw_developed": raw_developed,
    "jxl": jxl,
}


def answer(data: bytes, asked: Mapping[str, Any]) -> Answer:
    """Do what is asked within its memory, and name whatever goes wrong."""
    limit_memory(asked["memory"])
    try:
        return OPERATIONS[asked["operation"]](data, asked)
    except ImportError as error:
        return {"error": "missing", "reason": str(error)}, ()
    except BaseException as error:  # a panic of Rust is no Exception
        return {"error": type(error).__name__, "reason": (str(error).splitlines() or [""])[0][:200]}, ()
    finally:
        limit_memory(None)


def limit_time(cpu_s: float, wall_s: float) -> None:
    """After so many seconds the kernel ends the process, whatever its decoder is at; 0: never."""
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
    signal.setitimer(signal.ITIMER_REAL, wall_s)


def limit_memory(bytes_: int | None) -> None:
    """Let no more be taken than so many bytes beside what is there already; None: as much as there is."""
    if (there := _address_space()) is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = hard if bytes_ is None else there + bytes_
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _address_space() -> int | None:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:  # macOS has no such file, and keeps nobody to such a limit
        return None


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until nobody asks any more: a line of JSON and the file, then a line of JSON and the picture."""
    while line := questions.readline():
        asked = json.loads(line)
        data = questions.read(asked["size"])
        if len(data) < asked["size"]:
            return
        limit_time(asked["seconds"], WALL_S)
        known, bodies = answer(data, asked)
        limit_time(0, 0)
        del data
        answers.write(json.dumps({**known, "sizes": [len(body) for body in bodies]}).encode() + b"\n")
        for body in bodies:
            answers.write(body)
        answers.flush()
        del bodies


def main() -> None:
    """Serve on what are standard input and output now, and give the libraries others, that nobody reads."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Who asks decides when it ends: with it, or by closing the pipe. Terminals and service managers tell all
    # processes of a worker to stop; that one finishes its photo, and would take it for damaged.
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.SIG_IGN)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
