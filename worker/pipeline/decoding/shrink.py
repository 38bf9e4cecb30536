"""Scaling down: bilinear with antialiasing, the filter under which MTCNN shows the fewest phantoms."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def shrink(image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]) -> Image.Image:
    """A picture of 8 bits a channel, scaled to another size.

    Args:
        image: mode L, LA, RGB, RGBA or CMYK.
        size: width and height of the result, pixels.
        box: the part of the picture to scale, x1 y1 x2 y2, pixels.
    """
    if image.mode == "RGB" and box == (0, 0, *image.size):
        return Image.fromarray(shrink_pixels(np.asarray(image), size))
    return image.resize(size, Image.Resampling.BILINEAR, box=box)


def shrink_pixels(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The same by torch, which takes a quarter of Pillow's time; levels may differ by one.

    Args:
        pixels: uint8 [H, W, 3], C-contiguous.
        size: width and height of the result, pixels.

    Returns:
        uint8 [height, width, 3], C-contiguous.
    """
    if size == pixels.shape[1::-1]:
        return pixels
    # Here: to load it takes longer than all the rest, and who has nothing to shrink does without it.
    import torch
    from torch.nn.functional import interpolate

    # Batched before it is permuted, so that torch sees, and gives, channels last.
    planes = torch.from_numpy(_writable(pixels))[None].permute(0, 3, 1, 2)
    small = interpolate(planes, size=size[::-1], mode="bilinear", antialias=True)
    return small[0].permute(1, 2, 0).contiguous().numpy()


def _writable(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same memory; torch warns of arrays that are not to be written to, also where it only reads."""
    said = pixels.__array_interface__
    return np.asarray(
        SimpleNamespace(__array_interface__={**said, "data": (said["data"][0], False)}, owner=pixels)
    )
