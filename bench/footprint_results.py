"""What Nightshift takes of a machine, as bench/results/footprint.json keeps it, part by part."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.error_codes import BenchCode
from bench.results import FOLDER
from nightshift.words.errors import InvalidInput

FOOTPRINT = FOLDER / "footprint.json"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Install(_Part):
    """The environment of `make run` without a GPU.

    Attributes:
        day: of the measurement.
        seconds: to make it, with the packages at hand or near by.
        size_bytes: of all its files.
        packages: how many there are.
    """

    day: date
    seconds: float
    size_bytes: int
    packages: int


class Start(_Part):
    """`nightshift run` with a fresh home.

    Attributes:
        day: of the measurement.
        photos: in the folder.
        first_s: of each run, from starting the command to its first photo done.
        total_s: of each run, to its end.
    """

    day: date
    photos: int
    first_s: list[float]
    total_s: list[float]


class JobCost(_Part):
    """One job through the queue.

    Attributes:
        day: of the measurement.
        photos: in the job.
        workers: processes.
        seconds: from opening the job to its end, with workers that are warm.
        stages: seconds by stage, over all processes.
        faces: found.
        worker_bytes: resident memory of the largest worker process when the job has ended.
        worker_own_bytes: likewise, with what processes share divided among them.
        worker_peak_bytes: the most that was resident in any of them.
    """

    day: date
    photos: int
    workers: int
    seconds: float
    stages: dict[str, float]
    faces: int
    worker_bytes: int
    worker_own_bytes: int
    worker_peak_bytes: int


class Footprint(_Part):
    """All that was measured; None, or left out, what was not yet.

    Attributes:
        cpu: model name.
        cores: that may be used.
        bundle: name of the weights.
        install: see `Install`.
        start: see `Start`.
        memory: of one worker alone.
        jobs: by their number of photos.
    """

    cpu: str = ""
    cores: int = 0
    bundle: str = ""
    install: Install | None = None
    start: Start | None = None
    memory: JobCost | None = None
    jobs: dict[int, JobCost] = {}


def read_footprint(path: Path = FOOTPRINT) -> Footprint:
    """What was measured so far; nothing where there is no such file.

    Raises:
        InvalidInput: `bad_results`, naming the file and what is wrong with it.
    """
    try:
        return Footprint.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Footprint()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(BenchCode.BAD_RESULTS, f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise InvalidInput(BenchCode.BAD_RESULTS, f"{path}: {place}: {first['msg']}") from error


def write_footprint(footprint: Footprint, path: Path = FOOTPRINT) -> None:
    """Keep what was measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(footprint.model_dump_json(indent=1) + "\n", encoding="utf-8")
