"""Photos as pictures for a screen, drawn on request by a process each, and few at once.

The API decodes nothing itself: the process (`worker.draw`) has the limits that a worker decodes under.
"""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

from nightshift.words.analysis import Box
from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict, Transient, Unreadable
from shared.processes.bare import bare_environment
from shared.processes.command_lines import draw_command
from shared.settings import Settings

SIDE_PX = 1600
"""Longer side of a picture at most."""

AT_ONCE = 2
"""Each may take what `NIGHTSHIFT_MAX_PHOTO_MEMORY` says, beside what workers take."""

WAITING = 2
"""Requests that wait for one of these; more would hold threads that others need."""

NEEDED = ("numba", "PIL", "pillow_heif", "simplejpeg")
"""Packages of a worker's, which an API without workers beside it may lack."""

WAIT_S = 10.0
CPU_S = 20.0
WALL_S = 40.0


class Drawing:
    """Draws photos for one API process; safe between threads.

    Args:
        settings: with the limits of a photo.
        command: that draws one.
    """

    def __init__(self, settings: Settings, command: Sequence[str] = ()) -> None:
        self._settings = settings
        self._command = list(command) or draw_command()
        self._door = threading.BoundedSemaphore(AT_ONCE + WAITING)
        self._places = threading.BoundedSemaphore(AT_ONCE)

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place to draw at, before the photo's bytes are read.

        Raises:
            Conflict: `drawing_not_installed`.
            Transient: `drawing_busy`.
        """
        if not all(map(find_spec, NEEDED)):
            raise Conflict(Code.DRAWING_NOT_INSTALLED, "this service has nothing to decode photos with")
        if not self._door.acquire(blocking=False):
            raise _busy()
        try:
            if not self._places.acquire(timeout=WAIT_S):
                raise _busy()
            try:
                yield
            finally:
                self._places.release()
        finally:
            self._door.release()

    def draw(self, data: bytes, boxes: Sequence[Box]) -> bytes:
        """The photo as WebP, upright, its longer side at most `SIDE_PX`, never enlarged.

        Args:
            data: the whole file.
            boxes: to draw, as fractions of width and height.

        Raises:
            Unreadable: as a worker would find it; `timeout` where it takes too long.
            Transient: `out_of_memory`, the system ended the process.
        """
        settings = self._settings
        asked = {
            "side_px": SIDE_PX,
            "boxes": [(box.x1, box.y1, box.x2, box.y2) for box in boxes],
            "max_photo_pixels": int(settings.max_photo_megapixels * 1e6),
            "max_memory": settings.max_photo_memory,
            "seconds": CPU_S,
            "wall_s": WALL_S,
            "lock": str(settings.home / "run" / "large-photo.lock"),
        }
        try:
            done = subprocess.run(  # noqa: S603 - a command of ours
                self._command,
                input=json.dumps(asked).encode() + b"\n" + data,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=bare_environment(),
                timeout=WALL_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _slow() from error
        if done.returncode:
            raise _ended(done.returncode)
        line, _, picture = done.stdout.partition(b"\n")
        known = json.loads(line)
        if "code" in known:
            raise Unreadable(Code[known["code"].upper()], known["message"])
        return picture


def _ended(status: int) -> Exception:
    if status == -signal.SIGKILL:
        return Transient(Code.OUT_OF_MEMORY, "the system ended the process that draws; memory may be short")
    if status in (-signal.SIGPROF, -signal.SIGALRM):
        return _slow()
    if status > 0:
        # No file does that: it did not start, or has a fault of ours.
        return RuntimeError(f"the process that draws ended with status {status}")
    return Unreadable(Code.CORRUPT_IMAGE, "the image is damaged: its decoder broke off")


def _slow() -> Unreadable:
    return Unreadable(Code.TIMEOUT, f"drawing it took over {CPU_S:g} s of a processor")


def _busy() -> Transient:
    return Transient(Code.DRAWING_BUSY, "as many photos are being drawn as may be at once; try again")
