"""Colour profiles written by hand, and what they mean by the formulas of colour science."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

D50 = np.array([0.9642, 1.0, 0.8249])
"""White of the space between profiles (ICC.1:2010)."""

D65 = (0.3127, 0.3290)

_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def to_xyz(primaries: tuple[tuple[float, float], ...], white: tuple[float, float]) -> Floats:
    """Linear light of three primaries to XYZ adapted to D50, [3, 3]; x and y of each are given."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    light = np.array([white[0] / white[1], 1, (1 - white[0] - white[1]) / white[1]])
    matrix = columns * np.linalg.solve(columns, light)
    gains = (_BRADFORD @ D50) / (_BRADFORD @ light)
    adapted: Floats = np.linalg.inv(_BRADFORD) @ np.diag(gains) @ _BRADFORD @ matrix
    return adapted


SRGB_XYZ = to_xyz(((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), D65)


def srgb_light(levels: NDArray[np.generic]) -> Floats:
    """Linear light 0-1 of sRGB levels 0-255 (IEC 61966-2-1)."""
    values = np.asarray(levels, np.float64) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def srgb_levels(light: Floats) -> Floats:
    """sRGB levels 0-255 of linear light; what is outside sRGB is cut off."""
    light = light.clip(0, 1)
    return 255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


@dataclass(frozen=True)
class MatrixProfile:
    """An RGB space of three primaries and one tone curve.

    Attributes:
        name: its description.
        matrix: linear light to XYZ under D50.
        gamma: of the curve; None for that of sRGB.
    """

    name: str
    matrix: Floats
    gamma: float | None

    def srgb(self, levels: NDArray[np.generic]) -> Floats:
        """sRGB levels of this space's levels, [..., 3], by matrix and curve."""
        if self.gamma is None:
            light = srgb_light(levels)
        else:
            light = (np.asarray(levels, np.float64) / 255) ** self.gamma
        return srgb_levels(light @ self.matrix.T @ np.linalg.inv(SRGB_XYZ).T)

    def icc(self) -> bytes:
        """The profile's file."""
        curve = _curve(self.gamma)
        tags = [(b"wtpt", _xyz(D50)), (b"desc", _description(self.name)), (b"cprt", _text("none"))]
        for index, letter in enumerate(b"rgb"):
            tags.append((bytes([letter]) + b"XYZ", _xyz(self.matrix[:, index])))
            tags.append((bytes([letter]) + b"TRC", curve))
        return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


DISPLAY_P3 = MatrixProfile("P3", to_xyz(((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), D65), None)
ADOBE_RGB = MatrixProfile("A98", to_xyz(((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), D65), 563 / 256)
PROPHOTO = MatrixProfile(
    "ROMM", to_xyz(((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)), (0.3457, 0.3585)), 1.8
)
LINEAR = MatrixProfile("sRGB primaries, linear", SRGB_XYZ, 1.0)
"""Its name begins as that of sRGB does."""
SRGB = MatrixProfile("nameless", SRGB_XYZ, None)


def grey_icc(gamma: float) -> bytes:
    """A profile of grey with this gamma."""
    tags = [(b"wtpt", _xyz(D50)), (b"desc", _description("grey")), (b"kTRC", _curve(gamma))]
    return _profile(b"mntr", b"GRAY", b"XYZ ", [*tags, (b"cprt", _text("none"))])


CMYK_STEP = 51
"""The made-up press is defined for inks at multiples of this; between them a profile interpolates."""


def press_srgb(inks: NDArray[np.generic]) -> Floats:
    """What the press prints, sRGB levels of inks 0-255, [..., 4]: not the naive product."""
    left = 1 - np.asarray(inks, np.float64) / 255
    light = (left[..., :3] * left[..., 3:]) ** [1.5, 1.7, 2.0]
    return srgb_levels(light)


def cmyk_icc() -> bytes:
    """A profile of that press: a table of Lab colours at every sixth part of each ink."""
    amounts = np.array(list(itertools.product(range(0, 256, CMYK_STEP), repeat=4)))
    lab = lab_of_srgb(press_srgb(amounts))
    stored = (
        np.rint((lab + np.array([0, 128, 128])) * np.array([652.8, 256, 256])).clip(0, 65535).astype(">u2")
    )
    ramp = struct.pack(">HH", 0, 65535)
    head = (
        b"mft2\0\0\0\0" + bytes([4, 3, 6, 0]) + _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + struct.pack(">HH", 2, 2)
    )
    table = head + ramp * 4 + stored.tobytes() + ramp * 3
    tags = [
        (b"wtpt", _xyz(D50)),
        (b"desc", _description("press")),
        (b"A2B0", table),
        (b"cprt", _text("none")),
    ]
    return _profile(b"prtr", b"CMYK", b"Lab ", tags)


def lab_of_srgb(levels: NDArray[np.generic]) -> Floats:
    """CIELAB under D50 of sRGB levels, [..., 3]."""
    relative = srgb_light(levels) @ SRGB_XYZ.T / D50
    roots = np.where(relative > 216 / 24389, np.cbrt(relative), (relative * 24389 / 27 + 16) / 116)
    x, y, z = np.moveaxis(roots, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def srgb_of_lab(lab: Floats) -> Floats:
    """sRGB levels of CIELAB under D50, [..., 3]."""
    y = (lab[..., 0] + 16) / 116
    roots = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    relative = np.where(roots > 6 / 29, roots**3, (roots * 116 - 16) * 27 / 24389)
    return srgb_levels((relative * D50) @ np.linalg.inv(SRGB_XYZ).T)


def _profile(kind: bytes, space: bytes, between: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    start = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, body in tags:
        table += name + struct.pack(">II", start + len(data), len(body))
        data += body + b"\0" * (-len(body) % 4)
    size = start + len(data)
    head = (
        struct.pack(">I4xI", size, 0x02400000)
        + kind
        + space
        + between
        + struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    )
    return (head + b"acsp" + bytes(28) + _fixed(*D50)).ljust(128, b"\0") + table + data


def _fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _xyz(values: Floats) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*values.tolist())


def _text(text: str) -> bytes:
    return b"text\0\0\0\0" + text.encode() + b"\0"


def _description(text: str) -> bytes:
    body = text.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(body)) + body + bytes(78)


def _curve(gamma: float | None) -> bytes:
    if gamma is not None and gamma != 1:
        return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    if gamma == 1:
        return b"curv\0\0\0\0" + struct.pack(">I", 0)
    points = np.rint(srgb_light(np.linspace(0, 255, 1024)) * 65535).astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", len(points)) + points.tobytes()
