"""What the service's crops look like, and a chip does not: augmentation.

A chip is framed by its data set's own landmarks, upright and sharp. The service frames by MTCNN's
landmarks, leaves tilts under the threshold alone, and meets small, blurred, compressed and half-hidden faces.
"""

from __future__ import annotations

import io

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2  # type: ignore[import-untyped]

from nightshift.words.options import AnalysisOptions

CHIP_PX = 200
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet, RGB, for values 0-1: what torchvision's EfficientNetV2-S is normalised with."""

_BORDER_PX = 40  # what a turned or shifted frame sees beyond the chip
_TILT_DEG = AnalysisOptions().tilt_threshold_deg + 2  # detected eyes are off by a degree or two
_SHIFT = 0.05 * CHIP_PX / (CHIP_PX + 2 * _BORDER_PX)  # 5 % of the chip's side


def augmentation(side_px: int, strength: float = 1.0) -> v2.Compose:
    """Chip to training input: uint8 [3, 200, 200] to float32 [3, side_px, side_px], normalised.

    Draws from torch's global generator.

    Args:
        side_px: input size.
        strength: 0 to 1, of everything but the tilt and the mirroring: how far, or how often.
    """
    shift, light = _SHIFT * strength, 0.3 * strength
    return v2.Compose(
        [
            v2.Pad(_BORDER_PX, padding_mode="reflect"),
            v2.RandomAffine(
                _TILT_DEG,
                translate=(shift, shift),
                scale=(1 - 0.12 * strength, 1 + 0.14 * strength),
                interpolation=v2.InterpolationMode.BILINEAR,
            ),
            v2.CenterCrop(CHIP_PX),
            v2.RandomHorizontalFlip(),
            # A small face in a photo: few pixels, then enlarged.
            v2.RandomApply([v2.RandomResize(28, 140, antialias=True)], p=0.3 * strength),
            v2.Resize((side_px, side_px), antialias=True),
            v2.RandomApply([v2.GaussianBlur(5, (0.3, 1.5))], p=0.15 * strength),
            v2.ColorJitter(light, light, light, light / 10),
            v2.RandomGrayscale(0.1 * strength),
            v2.RandomApply([compressed], p=0.3 * strength),
            _normalisation(),
            v2.RandomErasing(0.2 * strength, scale=(0.02, 0.15)),
        ]
    )


def plain(side_px: int) -> v2.Compose:
    """Chip to input as it is: uint8 [3, H, W] to float32 [3, side_px, side_px], normalised."""
    return v2.Compose([v2.Resize((side_px, side_px), antialias=True), _normalisation()])


def compressed(image: Tensor) -> Tensor:
    """The picture as a JPEG of quality 35 to 95 would show it, uint8 [3, H, W].

    Pillow's: torchvision's codecs are deprecated.
    """
    data = io.BytesIO()
    quality = int(torch.randint(35, 96, ()))
    Image.fromarray(image.permute(1, 2, 0).contiguous().numpy()).save(data, "JPEG", quality=quality)
    return as_tensor(np.asarray(Image.open(data)))


def as_tensor(pixels: NDArray[np.uint8]) -> Tensor:
    """uint8 [H, W, 3] to uint8 [3, H, W], a copy."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)).copy())


def _normalisation() -> v2.Compose:
    return v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])
