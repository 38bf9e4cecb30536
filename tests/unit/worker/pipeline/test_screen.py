"""The screens let through every window of plain fp32, and not many more."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.bundles.detector import DETECTOR
from tests.support import samples
from tests.support.requirements import require
from worker.pipeline.detection import screen as screens
from worker.pipeline.detection import sixteen_bits
from worker.pipeline.detection.area import SummedPhotos
from worker.pipeline.detection.cascade import find_faces
from worker.pipeline.detection.mtcnn import ALL, Networks, load_networks
from worker.pipeline.detection.screen import (
    PROPOSE_MARGIN,
    REFINE_MARGIN,
    Screens,
    load_screens,
    screens_that_pay,
)
from worker.pipeline.detection.weights import read_detector
from worker.pipeline.runtime import CPU, Forward, runtimes

require(screens.can_screen(), "the processor has no AVX2", essential=False)

NOTHING = -1e6
"""A threshold that every window reaches."""


@cache
def networks() -> Networks[Forward]:
    return load_networks(runtimes(CPU)[0])


@cache
def loaded() -> Screens:
    return load_screens()


def noise(seed: int, *shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def let_through(photos: SummedPhotos, size: tuple[int, int], threshold: float) -> set[tuple[int, ...]]:
    (found,) = loaded().windows(photos, [size], threshold)
    through = [tuple(int(number) for number in window) for window in zip(*found, strict=True)]
    assert len(set(through)) == len(through) and through == sorted(through)
    return set(through)


def reaching(logits: NDArray[np.float32], threshold: float) -> set[tuple[int, ...]]:
    return {tuple(map(int, window)) for window in np.argwhere(logits >= threshold)}


@given(
    seed=st.integers(0, 2**32),
    photo=st.tuples(st.integers(12, 80), st.integers(12, 150)),
    size=st.tuples(st.integers(12, 70), st.integers(12, 120)),
    share=st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_what_reaches_the_threshold_is_let_through_and_what_is_far_under_it_is_not(
    seed: int, photo: tuple[int, int], size: tuple[int, int], share: float
) -> None:
    """Noise of every size, odd and even, where the last windows of a level see a row or a column less."""
    photos = SummedPhotos([noise(seed, *photo, 3), noise(seed + 1, *photo, 3)])
    logits = networks().propose(photos.level(*size))[:, 0].copy()
    threshold = float(np.quantile(logits, share))
    through = let_through(photos, size, threshold)
    assert reaching(logits, threshold) <= through <= reaching(logits, threshold - 2 * PROPOSE_MARGIN)
    assert len(let_through(photos, size, NOTHING)) == logits.size


@pytest.mark.parametrize("ends", [(0, 255), (255, 0), (0, 0), (255, 255)])
def test_the_greatest_contrasts_overflow_nothing(ends: tuple[int, int]) -> None:
    """Edges, corners and checks of black and white come nearest to what the sums of products can be."""
    board = np.indices((90, 120)).sum(axis=0)
    for side in (1, 2, 3, 5, 30, 60):
        pixels = np.where((board // side % 2)[..., None], *ends).astype(np.uint8).repeat(3, axis=2)
        pixels[:40, :, 1] = 255 - pixels[:40, :, 1]
        photos = SummedPhotos([pixels])
        logits = networks().propose(photos.level(90, 120))[:, 0].copy()
        for threshold in np.quantile(logits, (0.1, 0.5, 0.9)):
            through = let_through(photos, (90, 120), float(threshold))
            assert reaching(logits, threshold) <= through <= reaching(logits, threshold - 2 * PROPOSE_MARGIN)


@given(seed=st.integers(0, 2**32), count=st.integers(1, 20))
@settings(max_examples=30, deadline=None)
def test_no_candidate_that_reaches_the_threshold_is_thrown_out(seed: int, count: int) -> None:
    """Smaller and larger than what they are resized to, of any shape, and of any number."""
    random = np.random.default_rng(seed)
    photos = SummedPhotos([np.asarray(samples.astronaut()), noise(seed, 512, 512, 3)])
    low = random.integers(0, 500, (count, 2))
    corners = np.concatenate([low, random.integers(low + 1, 513)], axis=1)
    which = random.integers(0, 2, count)
    logits = networks().refine(photos.windows(which, corners, 24))[:, 0].copy()
    for threshold in np.quantile(logits, (0, 0.5, 1)):
        through = loaded().candidates(photos, which, corners, float(threshold))
        assert through[logits >= threshold].all()
        assert not through[logits < threshold - 2 * REFINE_MARGIN].any()


def test_no_candidates_are_none() -> None:
    none = np.zeros(0, np.int64)
    found = loaded().candidates(SummedPhotos([noise(0, 20, 30, 3)]), none, none.reshape(0, 4), 0.0)
    assert found.shape == (0,) and found.dtype == np.bool_


@pytest.mark.parametrize("network", ["propose", "refine"])
def test_no_sum_of_products_can_overflow(network: str) -> None:
    """For no photo at all: by the weights and the greatest numbers that they can meet."""
    tensors = {
        name.removeprefix(f"{network}."): tensor.astype(np.float64)
        for name, tensor in read_detector(DETECTOR, ALL).items()
    }
    given_to = sixteen_bits.of_pixels()
    for number in (1, 2, 3, 4) if network == "refine" else (1, 2, 3):
        name = "dense4" if number == 4 else f"conv{number}"
        weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        if number == 4:
            weight = weight.reshape(128, 64, 3, 3)
        whole, unit = sixteen_bits.whole(weight, given_to)
        assert np.abs(whole).max() <= 32767
        assert (np.abs(whole).sum(axis=(1, 2, 3)) * given_to.most < 2**31).all()
        back = whole / unit[:, None, None, None] * given_to.unit[:, None, None]
        np.testing.assert_allclose(back, weight, atol=float(np.abs(weight).max()) / 100)
        given_to = sixteen_bits.after(weight, bias, tensors[f"prelu{number}.weight"], given_to)


def test_threads_share_the_candidates_and_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    photos = SummedPhotos([noise(5, 200, 200, 3)])
    low = np.random.default_rng(5).integers(0, 150, (43, 2))
    corners, which = np.concatenate([low, low + 40], axis=1), np.zeros(43, np.int64)
    alone = loaded().candidates(photos, which, corners, -2.0)
    monkeypatch.setattr(screens, "threads", lambda: 3)
    together = load_screens()
    for count in (0, 1, 8, 43):
        np.testing.assert_array_equal(
            together.candidates(photos, which[:count], corners[:count], -2.0), alone[:count]
        )


def test_threads_share_a_level_and_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    photos = SummedPhotos([np.asarray(samples.astronaut()), np.asarray(samples.astronaut(mirrored=True))])
    sizes = [(481, 470), (200, 201), (12, 13)]
    alone = loaded().windows(photos, sizes, 0.0)
    monkeypatch.setattr(screens, "threads", lambda: 3)
    together = load_screens().windows(photos, sizes, 0.0)
    assert sum(len(photo) for photo, _, _ in alone) > 100
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(np.stack(one), np.stack(other))


def test_parts_of_levels_are_what_the_levels_have_there() -> None:
    photos = SummedPhotos([noise(1, 61, 83, 3), noise(2, 61, 83, 3)])
    sizes = np.array([(40, 51), (61, 83), (70, 33)])
    corners = np.array([(39, 28), (0, 0), (21, 58)])
    which = np.array([1, 0, 1])
    for height, width in ((12, 12), (11, 12), (5, 1)):
        found = photos.level_windows(which, corners, sizes, height, width)
        for one, photo, (x, y), size in zip(found, which, corners, sizes, strict=True):
            level = photos.level(*map(int, size))[photo]
            np.testing.assert_array_equal(one, level[:, y : y + height, x : x + width])


@pytest.mark.parametrize("min_face_px", [20, 33])
def test_the_cascade_finds_the_same_with_it(min_face_px: int) -> None:
    faces = 0
    for image in (
        samples.several(2, 3),
        samples.several(3, 7, side_px=130),
        samples.astronaut(431),
        samples.no_face("coffee"),
    ):
        photos = SummedPhotos([np.asarray(image), np.asarray(image)[:, ::-1]])
        plain = find_faces(photos, min_face_px, networks())
        screened = find_faces(photos, min_face_px, networks(), loaded())
        faces += len(plain[0])
        for one, other in zip(plain, screened, strict=True):
            np.testing.assert_allclose(np.asarray(one), np.asarray(other), atol=1e-3)
    assert faces >= 40


def test_photos_too_small_for_any_window_have_none() -> None:
    photo, boxes, landmarks = find_faces(SummedPhotos([noise(0, 19, 40, 3)]), 20, networks(), loaded())
    assert (photo.shape, boxes.shape, landmarks.shape) == ((0,), (0, 5), (0, 5, 2))


def test_a_processor_without_avx2_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens, "features", lambda: frozenset({"sse4.1"}))
    assert screens_that_pay(networks()) is None


@pytest.mark.parametrize(("screened_s", "taken"), [(0.5, True), (0.79, True), (0.81, False), (2.0, False)])
def test_it_is_taken_where_a_timing_finds_that_it_pays(
    screened_s: float, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([screened_s, 1.0])
    monkeypatch.setattr(screens, "_least_time", lambda _: next(times))
    assert (screens_that_pay(networks()) is not None) is taken
