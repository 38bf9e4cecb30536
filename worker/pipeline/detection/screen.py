"""Screens: 16-bit numbers throw out what is surely no face, and fp32 decides the rest (ADR 31)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.bundles.detector import DETECTOR
from worker.pipeline.detection import sixteen_bits
from worker.pipeline.detection.area import SummedPhotos
from worker.pipeline.detection.mtcnn import ALL, Networks
from worker.pipeline.detection.pairs import LANES
from worker.pipeline.detection.propose_loops import screen_level
from worker.pipeline.detection.refine_loops import screen_windows
from worker.pipeline.detection.weights import read_detector
from worker.pipeline.processor import features
from worker.pipeline.runtime import Forward, threads
from worker.pipeline.timing import least_time_s

log = logging.getLogger(__name__)

Tensors = Mapping[str, NDArray[Any]]
Indices = NDArray[np.int64]

PROPOSE_MARGIN, REFINE_MARGIN = 0.1, 0.4
"""How far under the threshold a logit in 16 bits may be for its window to be decided in fp32.

Three times and more what was needed over all windows of the photos at hand (ADR 31).
"""

PAYS_FROM = 1.25
"""How much faster than the P-Net a screen must be: what it lets through is looked at once more."""

BAND = 64
"""Least rows of windows that are worth a thread of their own; it computes four more."""


class Screens:
    """The P-Net over whole levels and the R-Net over candidates, without their last step.

    Args:
        tensors: the detector's, by name.
    """

    def __init__(self, tensors: Tensors) -> None:
        self._propose = _in_16_bits(tensors, "propose", {"conv1": 5, "conv2": 4, "conv3": 4})
        self._refine = _in_16_bits(tensors, "refine", {"conv1": 4, "conv2": 8, "conv3": 8, "dense4": 8})
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

    def candidates(
        self, photos: SummedPhotos, photo: Indices, corners: Indices, threshold: float
    ) -> NDArray[np.bool_]:
        """Which of them may have a logit that reaches a threshold.

        Args:
            photos: of one size.
            photo: int64 [N], of which photo each is.
            corners: int64 [N, 4], x1 y1 x2 y2, half open, inside the photo, at least one pixel each way.
            threshold: of the logit, without the margin.

        Returns:
            bool [N].
        """
        logits = np.empty(len(photo), np.float32)

        def look(part: slice) -> None:
            network = self._refine
            screen_windows(
                photos.sums,
                photo[part],
                corners[part],
                network.weights,
                network.factors,
                network.bias,
                logits[part],
            )

        share = -(-len(photo) // (threads() * LANES)) * LANES if self._pool else len(photo)
        parts = [slice(start, start + share) for start in range(0, len(photo), max(1, share))]
        list(self._pool.map(look, parts) if self._pool else map(look, parts))
        return logits >= threshold - REFINE_MARGIN

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
            self._propose.weights,
            self._propose.factors,
            self._propose.bias,
            np.float32(threshold - PROPOSE_MARGIN),
            places,
            count,
        )
        return places[: count[0]]


def can_screen() -> bool:
    """Whether the processor has what the loops are made of."""
    return "avx2" in features()


def load_screens(folder: Path = DETECTOR) -> Screens:
    """Make them of the detector's weights.

    Raises:
        ModelUnavailable: `detector_unavailable` when they cannot be read.
    """
    return Screens(read_detector(folder, ALL))


def screens_that_pay(networks: Networks[Forward], folder: Path = DETECTOR) -> Screens | None:
    """Screens, where there can be any and a short timing finds them faster than the P-Net alone.

    Raises:
        ModelUnavailable: as `load_screens`.
    """
    if not can_screen():
        return None
    screens = load_screens(folder)
    photos = SummedPhotos([np.full((320, 480, 3), 128, np.uint8)])
    size = (192, 288)
    screened = _least_time(lambda: screens.windows(photos, [size], 0.0))
    plain = _least_time(lambda: networks.propose(photos.level(*size)))
    pays = screened * PAYS_FROM <= plain
    log.info(
        "screens",
        extra={"used": pays, "screened_ms": round(screened * 1e3, 2), "plain_ms": round(plain * 1e3, 2)},
    )
    return screens if pays else None


def _in_16_bits(tensors: Tensors, name: str, layers: Mapping[str, int]) -> sixteen_bits.Network:
    """One of the networks; of each layer how many outputs its loop computes at once."""
    wide = {
        key.removeprefix(f"{name}."): tensor.astype(np.float64)
        for key, tensor in tensors.items()
        if key.startswith(f"{name}.")
    }
    made = []
    for layer, at_once in layers.items():
        weight, slope = wide[f"{layer}.weight"], wide[f"prelu{layer[-1]}.weight"]
        if weight.ndim == 2:  # of 3 x 3 pixels that were laid flat, channel by channel
            weight = weight.reshape(len(weight), -1, 3, 3)
        made.append(sixteen_bits.Layer(weight, wide[f"{layer}.bias"], slope, at_once))
    head = wide["head.weight"][0].reshape(-1)
    return sixteen_bits.network(made, head, float(wide["head.bias"][0]))


def _least_time(work: Callable[[], object]) -> float:
    work()  # the first call compiles
    return least_time_s(work, 8)
