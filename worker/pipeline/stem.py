"""The P-Net's first convolution, activation and pooling in one pass, for the CPU.

With three channels in and ten out, libraries pad both and write the unpooled result to memory: on AVX2 this
takes half of their time, and its sums need a tenth of the network's multiplications.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from worker.pipeline.kernels import kernel


class Stem:
    """A 3 x 3 convolution of three channels, a PReLU, and the greatest of each 2 x 2, all as the layers say.

    Args:
        convolution: without padding.
        activation: a slope for each channel.
    """

    def __init__(self, convolution: nn.Conv2d, activation: nn.PReLU) -> None:
        self._weight = convolution.weight.detach().numpy().copy()
        if convolution.bias is None:
            raise ValueError("a stem's convolution has a bias")
        self._bias = convolution.bias.detach().numpy().copy()
        self._slope = activation.weight.detach().numpy().copy()

    def __call__(self, images: Tensor) -> Tensor:
        """Float32 [N, H, W, 3], fastest as a view of planes, to [N, channels, (H - 1) // 2, (W - 1) // 2]."""
        planes = images.permute(0, 3, 1, 2).contiguous().numpy()
        count, _, height, width = planes.shape
        out = np.empty((count, len(self._bias), (height - 1) // 2, (width - 1) // 2), np.float32)
        row = np.empty(width - 2, np.float32)
        for image, pooled in zip(planes, out, strict=True):
            _convolve_and_pool(image, self._weight, self._bias, self._slope, row, pooled)
        return torch.from_numpy(out)


@kernel(reordering_sums=True)
def _convolve_and_pool(
    image: NDArray[np.float32],
    weight: NDArray[np.float32],
    bias: NDArray[np.float32],
    slope: NDArray[np.float32],
    row: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Image [3, H, W], weight [C, 3, 3, 3], bias and slope [C], out [C, h, w]; `row` [W - 2] to use."""
    channels, height, width = out.shape
    rows, columns = image.shape[1] - 2, image.shape[2] - 2
    for y in range(height):
        # Where the rows are odd in number, the last is pooled with itself.
        upper, lower = np.uintp(2 * y), np.uintp(min(2 * y + 1, rows - 1))
        for channel in range(channels):
            _greater_of_rows(image, upper, lower, weight[channel], bias[channel], slope[channel], row)
            for x in range(columns // 2):
                out[channel, y, x] = max(row[2 * x], row[2 * x + 1])
            if columns % 2:
                out[channel, y, width - 1] = row[columns - 1]


@kernel(reordering_sums=True)
def _greater_of_rows(
    image: NDArray[np.float32],
    upper: int,
    lower: int,
    weight: NDArray[np.float32],
    bias: float,
    slope: float,
    out: NDArray[np.float32],
) -> None:
    """One channel's activations of two rows, the greater of both at each place; unrolled by the compiler."""
    for x in range(len(out)):
        one, other = bias, bias
        for c in range(3):
            for k in range(3):
                one += weight[c, 0, k] * image[c, upper, x + k]
                one += weight[c, 1, k] * image[c, upper + 1, x + k]
                one += weight[c, 2, k] * image[c, upper + 2, x + k]
                other += weight[c, 0, k] * image[c, lower, x + k]
                other += weight[c, 1, k] * image[c, lower + 1, x + k]
                other += weight[c, 2, k] * image[c, lower + 2, x + k]
        one = one if one > 0 else one * slope
        other = other if other > 0 else other * slope
        out[x] = max(one, other)
