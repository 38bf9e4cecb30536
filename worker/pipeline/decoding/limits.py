"""Decoding under the limits that are in force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from nightshift.words.options import AnalysisOptions
from shared.settings import Settings
from worker.pipeline.decoding.alone import Alone
from worker.pipeline.decoding.decode import MAX_APART_S, MAX_MEMORY, NO_LOCK, DecodedPhoto, decode


@dataclass(frozen=True, slots=True)
class Decoder:
    """Decodes a photo; needs no network.

    Attributes:
        max_photo_pixels: most pixels of a file.
        max_working_pixels: most pixels that the detector is given.
        max_memory: most bytes that decoding one photo may take.
        max_apart_s: most seconds of a processor that a decoder in a process of its own may take.
        alone: held while a photo that takes much of it is decoded.
    """

    max_photo_pixels: int = 200_000_000
    max_working_pixels: int = 8_300_000
    max_memory: int = MAX_MEMORY
    max_apart_s: float = MAX_APART_S
    alone: Alone = NO_LOCK

    @classmethod
    def under(cls, settings: Settings) -> Self:
        """By a worker's settings."""
        return cls(
            max_photo_pixels=int(settings.max_photo_megapixels * 1e6),
            max_working_pixels=int(settings.max_working_megapixels * 1e6),
            max_memory=settings.max_photo_memory,
            # Where other processes want the cores, too, twice that passes; and then this process is ended.
            max_apart_s=settings.stall_s / 2,
            alone=Alone(settings.home / "run" / "large-photo.lock"),
        )

    def __call__(
        self, data: bytes, options: AnalysisOptions, admit: Callable[[int], None] = lambda _: None
    ) -> DecodedPhoto:
        """Decode one photo's bytes.

        Args:
            data: the whole file.
            options: the job's.
            admit: see `worker.pipeline.decoding.decode.decode`.

        Raises:
            Unreadable: see `worker.pipeline.decoding.decode.decode`.
        """
        return decode(
            data,
            height=options.height,
            max_photo_pixels=self.max_photo_pixels,
            max_working_pixels=self.max_working_pixels,
            max_memory=self.max_memory,
            max_apart_s=self.max_apart_s,
            admit=admit,
            alone=self.alone,
        )


UNTOLD = Decoder()
"""Under the limits that hold where nobody says others."""
