"""A benchmark run that never was, in round numbers."""

from __future__ import annotations

from datetime import date
from typing import Any

from bench.results import Agreement, Floors, Machine, Photos, Result, Results, Skipped, Weights


def result(name: str, seconds: list[float], **changes: Any) -> Result:
    known: dict[str, Any] = {
        "name": name,
        "title": f"the {name}",
        "about": {"threads": "2"},
        "seconds": seconds,
        "stages": {"decode": 1.0, "detect": 2.0, "classify": 3.0},
        "faces": 20,
        "matched": 19,
        "peak_bytes": 512 * 2**20,
    }
    return Result(**{**known, **changes})


def results(**changes: Any) -> Results:
    labels = Agreement(
        crops="same", faces=200, gender=199, age_group=198, both=197, flip_margins=[0.01, 0.04, 0.3]
    )
    known: dict[str, Any] = {
        "day": date(2026, 1, 2),
        "rounds": 3,
        "warm_up": 2,
        "machine": Machine(
            cpu="A CPU",
            cores=2,
            memory_bytes=8 * 2**30,
            features=("AVX2",),
            python="3.11.7",
            torch="2.14.1",
            threads=2,
        ),
        "photos": Photos(
            source="Photos made for a test",
            count=10,
            size_bytes=40_000_000,
            megapixels_least=12,
            megapixels_median=18,
            megapixels_most=24,
        ),
        "weights": Weights(name="utkface-v2s", sha256="0" * 64, input_px=128),
        "results": [
            result("plain", [6.0, 8.0, 7.0], matched=None),
            result("pipeline", [1.0, 2.0, 1.0], agreements=[labels], faces=21),
        ],
        "skipped": [Skipped(name="peer", title="the peer", reason="it is not installed")],
        "floors": Floors(
            fp32_flops=1e11,
            bf16_flops=1e9,
            bf16_is_native=False,
            jpegs=10,
            full_bytes_rate=4e7,
            full_pixels_rate=1e8,
            scaled_bytes_rate=8e7,
            jpeg_bytes=4e6,
            pnet_flops=4e9,
            rnet_flops=5e8,
            onet_flops=5e8,
            face_flops={128: 2e9, 384: 18e9},
        ),
    }
    return Results(**{**known, **changes})
