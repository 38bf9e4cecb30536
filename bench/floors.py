"""The least time that the work can take on this machine: operations over the rate of a matrix product, bytes
over libjpeg's rate.

    python -m bench.floors PHOTOS

A multiplication and an addition count as two operations, in the networks as in the matrix product.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from facenet_pytorch import MTCNN, ONet, PNet, RNet
from PIL import Image
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from bench.machine import describe_machine, has_native_bf16
from bench.photo_folder import photos_in, sampled
from bench.plain_flow import HEIGHT, find_faces, open_upright
from bench.plain_network import PlainNetwork
from bench.results import Floors
from shared.bundles.manifest import FEATURES, Architecture

SAMPLE = 48
"""Photos that rates and candidates are measured on, evenly out of all."""

_SIDE = 1536
_PROBE_SIDE = 192
"""Small: where bf16 is emulated, a large product takes minutes."""

_REPEATS = 5


def measure_floors(photos: Sequence[Path], networks: Mapping[int, Architecture]) -> Floors:
    """Rates of this machine, and the work that these photos make.

    Args:
        photos: all photos of the benchmark.
        networks: architectures of classifiers by their input size, pixels.
    """
    native = has_native_bf16()
    few = sampled(photos, SAMPLE)
    rates = _jpeg_rates(few)
    pnet, rnet, onet = _cascade_flops(few)
    return Floors(
        fp32_flops=matmul_rate(torch.float32, _SIDE),
        bf16_flops=matmul_rate(torch.bfloat16, _SIDE if native else _PROBE_SIDE),
        bf16_is_native=native,
        **rates,
        pnet_flops=pnet,
        rnet_flops=rnet,
        onet_flops=onet,
        face_flops={size: face_flops(size, architecture) for size, architecture in networks.items()},
    )


def matmul_rate(dtype: torch.dtype, side: int) -> float:
    """Operations a second in the product of two square matrices, the best of some."""
    first, second = (torch.randn(side, side).to(dtype) for _ in range(2))
    return 2 * side**3 / _best(lambda: first @ second)


def face_flops(size_px: int, architecture: Architecture) -> float:
    """Operations of the classifier for one face."""
    return _flops(PlainNetwork(architecture, 101), (1, 3, size_px, size_px))


def pyramid(width: int, height: int, min_face_px: int = 20, factor: float = 0.709) -> list[tuple[int, int]]:
    """Heights and widths of MTCNN's pyramid, as facenet-pytorch makes it."""
    scale, shorter = 12.0 / min_face_px, min(width, height) * 12.0 / min_face_px
    levels = []
    while shorter >= 12:
        levels.append((int(height * scale + 1), int(width * scale + 1)))
        scale, shorter = scale * factor, shorter * factor
    return levels


@cache
def pnet_flops(width: int, height: int) -> float:
    """Operations of the P-Net over the pyramid of a photo of this size."""
    network = PNet(pretrained=False)
    return sum(_flops(network, (1, 3, *level)) for level in pyramid(width, height))


def _cascade_flops(photos: Sequence[Path]) -> tuple[float, float, float]:
    """Operations of P-, R- and O-Net a photo, mean; the latter two by the candidates that there were."""
    mtcnn = MTCNN(keep_all=True, device="cpu")
    seen = {"rnet": 0, "onet": 0}

    def counting(name: str) -> Callable[[nn.Module, tuple[torch.Tensor]], None]:
        def count(_: nn.Module, inputs: tuple[torch.Tensor]) -> None:
            seen[name] += len(inputs[0])

        return count

    mtcnn.rnet.register_forward_pre_hook(counting("rnet"))
    mtcnn.onet.register_forward_pre_hook(counting("onet"))
    pnet = 0.0
    for path in photos:
        image, _ = open_upright(path)
        find_faces(mtcnn, image)
        pnet += pnet_flops(image.width, image.height)
    rnet = seen["rnet"] * _flops(RNet(pretrained=False), (1, 3, 24, 24))
    onet = seen["onet"] * _flops(ONet(pretrained=False), (1, 3, 48, 48))
    return pnet / len(photos), rnet / len(photos), onet / len(photos)


def _flops(network: nn.Module, shape: tuple[int, ...]) -> float:
    # Without memory or arithmetic: shapes are enough.
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.to("meta").eval()(torch.empty(shape, device="meta"))
    return float(counter.get_total_flops())


def _jpeg_rates(photos: Sequence[Path]) -> dict[str, Any]:
    """Of libjpeg on one core; all 0 without JPEGs."""
    files = [path.read_bytes() for path in photos]
    files = [data for data in files if data.startswith(b"\xff\xd8")]
    size_bytes = pixels = 0
    full_s = scaled_s = 0.0
    for data in files:
        with Image.open(io.BytesIO(data)) as image:
            pixels += image.width * image.height
        size_bytes += len(data)
        full_s += _best(lambda data=data: _decode(data, scaled=False), repeats=2)  # type: ignore[misc]
        scaled_s += _best(lambda data=data: _decode(data, scaled=True), repeats=2)  # type: ignore[misc]
    return {
        "jpegs": len(files),
        "full_bytes_rate": size_bytes / full_s if files else 0.0,
        "full_pixels_rate": pixels / full_s if files else 0.0,
        "scaled_bytes_rate": size_bytes / scaled_s if files else 0.0,
        "jpeg_bytes": size_bytes / len(files) if files else 0.0,
    }


def _decode(data: bytes, *, scaled: bool) -> None:
    with Image.open(io.BytesIO(data)) as image:
        if scaled:
            # Rows of the photo once upright: the stored picture may lie on its side.
            rows = image.width if image.getexif().get(0x0112, 1) >= 5 else image.height
            ratio = min(1.0, HEIGHT / rows)
            image.draft(None, (max(1, round(image.width * ratio)), max(1, round(image.height * ratio))))
        image.load()


def _best(work: Callable[[], object], repeats: int = _REPEATS) -> float:
    """Seconds of the fastest of some repeats."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def _listed(path: Path) -> list[Path]:
    return [Path(name) for name in json.loads(path.read_text(encoding="utf-8"))]


def _network(text: str) -> tuple[int, Architecture]:
    size, _, name = text.partition(":")
    if name not in FEATURES:
        raise argparse.ArgumentTypeError(f"architectures are {', '.join(FEATURES)}")
    return int(size), name


def main() -> None:
    """Print machine and floors as JSON, one line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.floors", description="Measure this machine's floors."
    )
    parser.add_argument("photos", type=Path, help="a folder, or a JSON list of paths")
    parser.add_argument(
        "--networks",
        type=_network,
        nargs="+",
        default=[(384, "efficientnet_v2_s")],
        metavar="PIXELS:ARCHITECTURE",
        help="classifiers by their input size",
    )
    given = parser.parse_args()
    photos = photos_in(given.photos) if given.photos.is_dir() else _listed(given.photos)
    floors = measure_floors(photos, dict(given.networks))
    document = {"machine": describe_machine().model_dump(), "floors": floors.model_dump()}
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
