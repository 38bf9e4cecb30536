"""What a benchmark run measured, as bench/results/ keeps it: no paths, no names of photos or hosts."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.error_codes import BenchCode
from nightshift.words.errors import InvalidInput
from shared.settings import REPOSITORY

FOLDER = REPOSITORY / "bench" / "results"
PREFIX = "performance-"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Machine(_Part):
    """Where it was measured.

    Attributes:
        cpu: model name.
        cores: that this process may use.
        memory_bytes: in all.
        features: of avx2, avx512, bf16: those the CPU has.
        python, torch: versions.
        threads: torch's default.
    """

    cpu: str
    cores: int
    memory_bytes: int
    features: tuple[str, ...]
    python: str
    torch: str
    threads: int


class Photos(_Part):
    """What was analysed. `source` says in words where it came from."""

    source: str
    count: int
    size_bytes: int
    megapixels_least: float
    megapixels_median: float
    megapixels_most: float


class Weights(_Part):
    """The bundle under test."""

    name: str
    sha256: str
    input_px: int


class Agreement(_Part):
    """How many labels are those of the plain fp32 network.

    Attributes:
        crops: what it read: `plain`, plain MTCNN's faces, or `same`, the contender's own.
        faces: compared.
        gender, age_group, both: of them, with the same label.
        flip_margins: of each label that differs, how far the plain network's top two classes lie apart.
    """

    crops: Literal["plain", "same"]
    faces: int
    gender: int
    age_group: int
    both: int
    flip_margins: list[float]


class Result(_Part):
    """One contender.

    Attributes:
        name, title: who it is.
        about: versions, threads, precision.
        seconds: of each round, over all photos.
        stages: median seconds by stage, over all photos and processes.
        faces: found.
        matched: of them, the same as plain MTCNN's; None for itself, or where it did not run.
        peak_bytes: see `bench.memory`.
        agreements: of its labels.
        others_share: of the cores' time, what other processes took during its passes, at most; None where
            that cannot be known.
    """

    name: str
    title: str
    about: dict[str, str]
    seconds: list[float]
    stages: dict[str, float]
    faces: int
    matched: int | None
    peak_bytes: int
    agreements: list[Agreement] = []
    others_share: float | None = None


class Skipped(_Part):
    """A contender that did not run, and why."""

    name: str
    title: str
    reason: str


class Floors(_Part):
    """What the machine can do, and what the work needs at least.

    Attributes:
        fp32_flops, bf16_flops: operations a second in a large matrix product on all cores.
        bf16_is_native: False where the CPU emulates it.
        jpegs: photos that the rates below were measured on.
        full_bytes_rate, full_pixels_rate: of libjpeg decoding them fully, on one core, a second.
        scaled_bytes_rate: likewise, at the smallest of its scales that leaves 1080 rows.
        jpeg_bytes: of such a photo, mean.
        pnet_flops: of the pyramid of a photo, mean; exact.
        rnet_flops, onet_flops: of the candidates that plain MTCNN had, a photo, mean.
        face_flops: of the classifier for a face, by input size.
    """

    fp32_flops: float
    bf16_flops: float
    bf16_is_native: bool
    jpegs: int
    full_bytes_rate: float
    full_pixels_rate: float
    scaled_bytes_rate: float
    jpeg_bytes: float
    pnet_flops: float
    rnet_flops: float
    onet_flops: float
    face_flops: dict[int, float]


class Results(_Part):
    """One run of the benchmark; `mode` of `bench.mode.MODES`."""

    format: Literal["nightshift-performance/1"] = "nightshift-performance/1"
    day: date
    rounds: int
    mode: str = ""
    warm_up: int
    machine: Machine
    photos: Photos
    weights: Weights
    results: list[Result]
    skipped: list[Skipped]
    floors: Floors

    def of(self, name: str) -> Result | None:
        """A contender's result, None where it did not run."""
        return next((result for result in self.results if result.name == name), None)


@dataclass(frozen=True, slots=True)
class Spread:
    """Several measurements of one thing."""

    median: float
    least: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    """Median, least and most.

    Raises:
        ValueError: there are no values.
    """
    return Spread(statistics.median(values), min(values), max(values))


def ratios(slower: Sequence[float], faster: Sequence[float]) -> list[float]:
    """How many times as long the one took as the other, round by round: they ran interleaved."""
    return [a / b for a, b in zip(slower, faster, strict=True)]


def read_results(path: Path) -> Results:
    """One run from its file.

    Raises:
        InvalidInput: `bad_results`, naming the file and what is wrong with it.
    """
    try:
        return Results.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(BenchCode.BAD_RESULTS, f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InvalidInput(
            BenchCode.BAD_RESULTS, f"{path}: {place + ': ' if place else ''}{first['msg']}"
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidInput(BenchCode.BAD_RESULTS, f"{path}: not UTF-8") from error


def write_results(results: Results, path: Path) -> None:
    """Keep one run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(results.model_dump_json(indent=1) + "\n", encoding="utf-8")
