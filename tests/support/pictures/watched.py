"""A process that decodes whatever it is given and may die of it, and the one that watches it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import select
import struct
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from nightshift.words.errors import Unreadable
from shared.settings import REPOSITORY
from worker.pipeline.decoding.decode import decode

HEIGHT, MAX_PHOTO_PIXELS, MAX_WORKING_PIXELS = 1080, 4_000_000, 500_000
MEMORY_BYTES = 3 << 30
"""Address space beyond what the libraries take; a photo of 4 megapixels needs a twentieth of it."""
PATIENCE_S = 60.0
CODES = frozenset({"corrupt_image", "unsupported_format", "too_many_pixels", "too_much_memory"})


def outcome(data: bytes) -> str:
    """What became of a file: `photo`, an error's code, or a sentence about what should never happen."""
    return outcome_and_pixels(data)[0]


def outcome_and_pixels(data: bytes) -> tuple[str, str]:
    """The same, and what tells a photo's pixels from all others."""
    try:
        photo = decode(
            data,
            height=HEIGHT,
            max_photo_pixels=MAX_PHOTO_PIXELS,
            max_working_pixels=MAX_WORKING_PIXELS,
        )
    except Unreadable as error:
        if len(error.message) > 400:
            return f"a message of {len(error.message)} characters", ""
        return error.code if error.code in CODES else f"the code {error.code}", ""
    except BaseException as error:
        return f"{type(error).__name__}: {error}", ""
    rows, columns = photo.pixels.shape[:2]
    sane = {
        "shape": photo.pixels.shape == (rows, columns, 3) and rows > 0 and columns > 0,
        "dtype": photo.pixels.dtype.name == "uint8" and photo.pixels.flags.c_contiguous,
        "limits": rows <= HEIGHT and rows * columns <= MAX_WORKING_PIXELS,
        "size": 0 < photo.width * photo.height <= MAX_PHOTO_PIXELS,
        "scale": 0 < photo.scale <= 1,
        "orientation": type(photo.exif_orientation) is int and 1 <= photo.exif_orientation <= 8,
        "warnings": all(type(text) is str and len(text) < 300 for text in photo.warnings),
    }
    wrong = [name for name, good in sane.items() if not good]
    pixels = f"{photo.width}x{photo.height} {hashlib.sha256(photo.pixels.data).hexdigest()}"
    return f"a photo with a wrong {wrong}" if wrong else "photo", pixels


class Watched:
    """Runs `outcome` in a process of its own, and starts another when that one has died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._errors.close()

    def outcome(self, data: bytes) -> str:
        """As `outcome`, or how the process died, or that it took too long."""
        return self.outcome_and_pixels(data)[0]

    def outcome_and_pixels(self, data: bytes) -> tuple[str, str]:
        """As `outcome_and_pixels`, likewise."""
        if self._process is None:
            self._process = self._start()
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(struct.pack(">I", len(data)) + data)
            self._process.stdin.flush()
            if not select.select([self._process.stdout], [], [], PATIENCE_S)[0]:
                self._end()
                return f"took over {PATIENCE_S:g} s", ""
            line = self._process.stdout.readline()
        except OSError:
            line = b""
        if line:
            said, pixels = json.loads(line)
            return said, pixels
        code = self._process.wait(10)
        self._end()
        self._errors.seek(0, os.SEEK_END)
        start = max(0, self._errors.tell() - 1500)
        self._errors.seek(start)
        return f"the process died of {code}: {self._errors.read().decode(errors='replace')}", ""

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-X", "faulthandler", "-m", __name__]
        options: dict[str, Any] = {
            "stdin": subprocess.PIPE,
            "stdout": subprocess.PIPE,
            "stderr": self._errors,
        }
        return subprocess.Popen(command, cwd=REPOSITORY, **options)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin and process.stdout
            process.kill()
            process.wait()
            process.stdout.close()
            with contextlib.suppress(OSError):
                process.stdin.close()


def _address_space() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    return int(pages) * resource.getpagesize()


def main() -> None:
    """Files come on standard input, each behind its length; one JSON line goes out for each."""
    warnings.simplefilter("ignore")
    most = MEMORY_BYTES + _address_space()
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while head := sys.stdin.buffer.read(4):
        data = sys.stdin.buffer.read(struct.unpack(">I", head)[0])
        started = time.monotonic()
        said, pixels = outcome_and_pixels(data)
        elapsed_s = time.monotonic() - started
        if elapsed_s > 5:
            said = f"took {elapsed_s:.1f} s, then: {said}"
        print(json.dumps([said, pixels]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
