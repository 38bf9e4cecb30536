"""The P-Net's screen: 16-bit numbers throw out what is surely no face, and fp32 decides the rest (ADR 31)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.pipeline.detection import sixteen_bits
from worker.pipeline.detection.area import SummedPhotos
from worker.pipeline.detection.mtcnn import ALL, Networks
from worker.pipeline.detection.screen_loops import screen_level
from worker.pipeline.detection.weights import DETECTOR, read_detector
from worker.pipeline.processor import features
from worker.pipeline.runtime import Forward, threads

Tensors = Mapping[str, NDArray[Any]]
Indices = NDArray[np.int64]

MARGIN = 0.25
"""How far under the threshold a logit in 16 bits may be for its window to be decided in fp32.

Several times what the two were apart at most, over all windows of the photos at hand (docs/performance.md).
"""

PAYS_FROM = 1.25
"""How much faster than the P-Net a screen must be: what it lets through is looked at once more."""

BAND = 64
"""Least rows of windows that are worth a thread of their own; it computes four more."""


class ProposalScreen:
    """The P-Net over whole levels, its last step left to others.

    Args:
        tensors: the P-Net's, by name.
    """

    def __init__(self, tensors: Tensors) -> None:
        wide = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}
        given = sixteen_bits.of_pixels()
        weights, factors = [], []
        for number, at_once in ((1, 5), (2, 4), (3, 4)):
            weight, bias = wide[f"conv{number}.weight"], wide[f"conv{number}.bias"]
            slope = wide[f"prelu{number}.weight"]
            numbers, unit = sixteen_bits.whole(weight, given)
            by_taps = sixteen_bits.first_taps(numbers) if number == 1 else sixteen_bits.taps(numbers)
            weights.append(sixteen_bits.blocks(by_taps, at_once))
            given = sixteen_bits.after(weight, bias, slope, given)
            if number < 3:
                factors.append(np.stack([given.unit / unit, bias * given.unit, slope]))
        head = wide["head.weight"][0, :, 0, 0]
        factors.append(np.stack([1 / unit, bias, head, head * slope]))
        self._weights = tuple(weights)
        self._factors = tuple(each.astype(np.float32) for each in factors)
        self._bias = np.float32(wide["head.bias"][0])
        self._pool = ThreadPoolExecutor(threads()) if threads() > 1 else None

    def windows(
        self, photos: SummedPhotos, sizes: Sequence[tuple[int, int]], threshold: float
    ) -> list[tuple[Indices, Indices, Indices]]:
        """Those whose logit may reach a threshold.

        Args:
            photos: of one size.
            sizes: height and width of the levels that they are resized to, pixels; 12 at least.
            threshold: of the logit, without the margin.

        Returns:
            Of each level photo, row and column of each, int64 [N], in this order.
        """
        work = [
            (level, photo, begin, end)
            for level, (height, _) in enumerate(sizes)
            for photo in range(photos.count)
            for begin, end in self._bands((height - 1) // 2 - 4)
        ]

        def look(level: int, photo: int, begin: int, end: int) -> NDArray[np.int32]:
            return self._places(photos.sums[photo], sizes[level], begin, end, threshold)

        spread = self._pool.map if self._pool else map
        found = spread(look, *zip(*work, strict=True)) if work else []
        places: list[list[Indices]] = [[] for _ in sizes]
        for (level, photo, *_), kept in zip(work, found, strict=True):
            places[level].append(np.insert(kept.astype(np.int64), 0, photo, axis=1))
        joined = [np.concatenate(parts) for parts in places]
        return [(each[:, 0], each[:, 1], each[:, 2]) for each in joined]

    def _bands(self, rows: int) -> list[tuple[int, int]]:
        count = max(1, min(threads(), rows // BAND)) if self._pool else 1
        return [(rows * n // count, rows * (n + 1) // count) for n in range(count)]

    def _places(
        self, sums: NDArray[np.uint32], size: tuple[int, int], begin: int, end: int, threshold: float
    ) -> NDArray[np.int32]:
        height, width = size
        places = np.empty(((end - begin) * ((width - 1) // 2 - 4), 2), np.int32)
        count = np.zeros(1, np.int64)
        screen_level(
            sums,
            height,
            width,
            begin,
            end,
            self._weights,
            self._factors,
            self._bias,
            np.float32(threshold - MARGIN),
            places,
            count,
        )
        return places[: count[0]]


def can_screen() -> bool:
    """Whether the processor has what the loops are made of."""
    return "avx2" in features()


def load_screen(folder: Path = DETECTOR) -> ProposalScreen:
    """Make the screen of the detector's weights.

    Raises:
        ModelUnavailable: `detector_unavailable` when they cannot be read.
    """
    prefix = "propose."
    tensors = read_detector(folder, ALL)
    return ProposalScreen(
        {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    )


def screen_that_pays(networks: Networks[Forward], folder: Path = DETECTOR) -> ProposalScreen | None:
    """The screen, where there can be one and a short timing finds it faster than the P-Net alone.

    Raises:
        ModelUnavailable: as `load_screen`.
    """
    if not can_screen():
        return None
    screen = load_screen(folder)
    photos = SummedPhotos([np.full((320, 480, 3), 128, np.uint8)])
    size = (192, 288)
    screened = _least_time(lambda: screen.windows(photos, [size], 0.0))
    plain = _least_time(lambda: networks.propose(photos.level(*size)))
    return screen if screened * PAYS_FROM <= plain else None


def _least_time(work: Callable[[], object]) -> float:
    work()  # the first call compiles
    times = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)
