"""The area resize is torch's adaptive average pooling, whichever way it is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support.needs_torch import torch
from worker.pipeline.detection.area import SummedPhotos
from worker.pipeline.detection.cascade_torch import TensorPhotos

sides = st.integers(1, 70)


def noise(seed: int, *shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def expected(pixels: NDArray[np.uint8], height: int, width: int) -> torch.Tensor:
    planes = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float()
    return (torch.nn.functional.interpolate(planes, size=(height, width), mode="area")[0] - 127.5) * 0.0078125


def both(photos: list[NDArray[np.uint8]]) -> tuple[SummedPhotos, TensorPhotos]:
    return SummedPhotos(photos), TensorPhotos(photos, "cpu")


@given(seed=st.integers(0, 2**32), photo=st.tuples(sides, sides), level=st.tuples(sides, sides))
@settings(max_examples=60, deadline=None)
def test_a_level_is_adaptive_average_pooling(
    seed: int, photo: tuple[int, int], level: tuple[int, int]
) -> None:
    photos = [noise(seed, *photo, 3), noise(seed + 1, *photo, 3)]
    for resizer in both(photos):
        found = resizer.level(*level)
        assert found.shape == (2, 3, *level)
        for one, pixels in zip(found, photos, strict=True):
            torch.testing.assert_close(torch.as_tensor(one), expected(pixels, *level), atol=2e-6, rtol=0)


@given(seed=st.integers(0, 2**32), photo=st.tuples(sides, sides), data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_window_is_the_same_of_a_part(seed: int, photo: tuple[int, int], data: st.DataObject) -> None:
    height, width = photo
    photos = [noise(seed, *photo, 3), noise(seed + 1, *photo, 3)]
    corners = []
    for _ in range(3):
        x1, y1 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
        corners.append(
            (x1, y1, data.draw(st.integers(x1 + 1, width)), data.draw(st.integers(y1 + 1, height)))
        )
    which = [1, 0, 1]
    summed, tensors = both(photos)
    for found in (
        summed.windows(np.array(which), np.array(corners), 24),
        tensors.windows(torch.tensor(which), torch.tensor(corners), 24),
    ):
        assert found.shape == (3, 3, 24, 24)
        for one, photo_index, (x1, y1, x2, y2) in zip(found, which, corners, strict=True):
            part = photos[photo_index][y1:y2, x1:x2]
            torch.testing.assert_close(torch.as_tensor(one), expected(part, 24, 24), atol=2e-6, rtol=0)


def test_no_windows_are_no_pictures() -> None:
    none = np.zeros(0, np.int64)
    found = SummedPhotos([noise(0, 20, 30, 3)]).windows(none, none.reshape(0, 4), 24)
    assert found.shape == (0, 3, 24, 24)


def test_sums_that_wrap_around_are_right_all_the_same() -> None:
    """White is 255 a pixel: 17 megapixels overflow 32 bits. Made to, without the pixels."""
    photos = [noise(3, 40, 20, 3)]
    summed = SummedPhotos(photos)
    summed.sums += np.uint32(2**32 - 1000)
    torch.testing.assert_close(
        torch.from_numpy(summed.level(9, 7)[0]), expected(photos[0], 9, 7), atol=2e-6, rtol=0
    )


@pytest.mark.parametrize("dtype", [object, np.float32, np.int8])
def test_pixels_of_another_type_are_named(dtype: type) -> None:
    pixels: NDArray[Any] = np.zeros((4, 4, 3), dtype)
    for stacked in (SummedPhotos, lambda photos: TensorPhotos(photos, "cpu")):
        with pytest.raises(TypeError, match="not uint8"):
            stacked([pixels])
