"""Hand-written stand-ins for what a unit under test only talks to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

from nightshift.words.analysis import Analysis, PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.errors import Unreadable
from nightshift.words.options import AnalysisOptions
from shared.bundles.manifest import Manifest
from tests.support.queue_rows import analysis, face, manifest
from worker.pipeline.decoding.decode import DecodedPhoto

Progress = Callable[[Collection[str]], None]


@dataclass
class FakeDoorbell:
    """Counts the rings; `away` makes the broker unreachable."""

    rings: int = 0
    away: bool = False

    def ring(self, times: int = 1) -> bool:
        """Count."""
        if not self.away:
            self.rings += times
        return not self.away

    def waiting(self) -> int | None:
        """What nobody has taken."""
        return None if self.away else self.rings


@dataclass
class FakePipeline:
    """Takes any bytes that start with `photo` for a picture with one face.

    Attributes:
        before_decoding: called with a photo's bytes.
        before_analysis: called with the number of photos when a batch reaches the detector.
        decoded: bytes that were decoded, in order.
    """

    before_decoding: Callable[[bytes], None] = lambda _: None
    before_analysis: Callable[[int], None] = lambda _: None
    decoded: list[bytes] = field(default_factory=list)
    bundle: SimpleNamespace = field(
        default_factory=lambda: SimpleNamespace(manifest=manifest(), device=SimpleNamespace(type="cpu"))
    )

    on_cpu = True
    are_loaded = True

    @property
    def manifest(self) -> Manifest:
        """Of no real weights."""
        return manifest()

    def decode(
        self, data: bytes, options: AnalysisOptions, admit: Callable[[int], None] = lambda _: None
    ) -> DecodedPhoto:
        """Pixels of any photo; `boom` breaks as only a bug would."""
        self.before_decoding(data)
        if data == b"boom":
            raise ZeroDivisionError
        if not data.startswith(b"photo"):
            raise Unreadable(Code.CORRUPT_IMAGE, "not a photo")
        self.decoded.append(data)
        return blank_photo()

    def analyse(
        self, photos: Iterable[DecodedPhoto], options: AnalysisOptions, progress: Progress
    ) -> list[Analysis | PhotoError]:
        """What `found` says."""
        arrived = list(photos)
        self.before_analysis(len(arrived))
        return list(self.found(arrived, progress))

    def found(self, photos: Sequence[DecodedPhoto], progress: Progress) -> Iterator[Analysis]:
        """One face each."""
        progress([photo.id for photo in photos])
        yield from (analysis(face()) for _ in photos)


def blank_photo(*marks: int) -> DecodedPhoto:
    """Eight by eight pixels, black but for these in the first one."""
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[0, 0, : len(marks)] = marks
    return DecodedPhoto(pixels=pixels, width=8, height=8, exif_orientation=1, scale=1.0)


class BrokenDoorbell:
    def ring(self, times: int = 1) -> bool:
        raise ZeroDivisionError("the secret of the house")

    def waiting(self) -> int | None:
        return None
