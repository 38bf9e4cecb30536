"""Where UTKFace's chips have the five landmarks, and the MTCNN box around them."""

from __future__ import annotations

from shared.bundles.manifest import Framing

UTKFACE = Framing(
    left_eye=(0.299, 0.292),
    right_eye=(0.693, 0.291),
    nose=(0.494, 0.524),
    mouth_left=(0.320, 0.700),
    mouth_right=(0.673, 0.697),
)
"""Medians over 600 of UTKFace's aligned and cropped chips in photos, as fractions of the chip's side.

Measured by `python -m training.framing`, which says why not on the bare chips.
"""

UTKFACE_BOX = (0.06, -0.17, 0.91, 0.98)
"""MTCNN's box x1 y1 x2 y2 around the same faces: a chip leaves the top of the head out, the box does not."""
