"""Where UTKFace's chips have the five landmarks, and the MTCNN box around them."""

from __future__ import annotations

from shared.bundles import Framing

UTKFACE = Framing(
    left_eye=(0.255, 0.211),
    right_eye=(0.698, 0.207),
    nose=(0.475, 0.475),
    mouth_left=(0.271, 0.669),
    mouth_right=(0.679, 0.669),
)
"""Medians over 392 of UTKFace's aligned and cropped chips under MTCNN, as fractions of the chip's side."""

UTKFACE_BOX = (-0.02, -0.29, 0.94, 0.99)
"""MTCNN's box x1 y1 x2 y2 on the same chips: the chip leaves the forehead out, the box does not."""
