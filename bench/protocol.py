"""What a contender of the benchmark is told and what it answers: one JSON line each.

Standard library only: the peer runs in an environment of its own, without Nightshift's packages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

STAGES = ("decode", "detect", "align", "classify")
"""Of Nightshift's pipeline, as it times them."""

Corners = tuple[float, float, float, float]
"""x1 y1 x2 y2, pixels in the upright photo at full size."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the plain fp32 network says of a face, and how far the top two classes lie apart, 0-1."""

    gender: str
    gender_margin: float
    age_group: str
    age_group_margin: float


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A face in a contender's answer.

    Attributes:
        box: see `Corners`.
        gender: apparent; empty where the contender's labels are not compared.
        age_group: likewise.
        reading: of the same face by the plain network, only in the answer to `read`.
    """

    box: Corners
    gender: str = ""
    age_group: str = ""
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over all photos.

    Attributes:
        photos: faces of each photo, in the photos' order.
        seconds: what the pass took; 0 when it was not timed.
        stages: seconds by stage, added up over all processes: overlapping stages may exceed `seconds`.
        peak_bytes: most memory that was resident until now, summed over the contender's processes.
    """

    photos: tuple[tuple[FoundFace, ...], ...]
    seconds: float = 0.0
    stages: Mapping[str, float] = field(default_factory=dict)
    peak_bytes: int = 0

    def as_json(self) -> dict[str, Any]:
        """For one line of the answer."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Pass:
        """The other way round.

        Raises:
            KeyError, TypeError, ValueError: the document is of another shape.
        """
        photos = tuple(tuple(_face(face) for face in faces) for faces in document["photos"])
        stages = {str(name): float(seconds) for name, seconds in document["stages"].items()}
        return cls(photos, float(document["seconds"]), stages, int(document["peak_bytes"]))


@dataclass(frozen=True, slots=True)
class Setup:
    """What a contender is told when it starts.

    Attributes:
        photos: all that are analysed in a pass.
        bundle: folder of the weights.
        workers: worker processes, where there are any.
        workspace: an empty folder for what it has to write.
        warm_up: how many photos it analyses before it says that it is ready.
    """

    photos: tuple[Path, ...]
    bundle: Path
    workers: int
    workspace: Path
    warm_up: int

    def as_json(self) -> dict[str, Any]:
        """For the first line of a contender's input."""
        return {
            "photos": [str(photo) for photo in self.photos],
            "bundle": str(self.bundle),
            "workers": self.workers,
            "workspace": str(self.workspace),
            "warm_up": self.warm_up,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Setup:
        """The other way round."""
        return cls(
            tuple(Path(photo) for photo in document["photos"]),
            Path(document["bundle"]),
            int(document["workers"]),
            Path(document["workspace"]),
            int(document["warm_up"]),
        )


class Flow(Protocol):
    """A contender's own code. It is made from a `Setup`, which loads it."""

    about: Mapping[str, str]
    """What is worth knowing of it: versions, threads, precision."""

    def warm_up(self, photos: Sequence[Path]) -> None:
        """Analyse a few photos, so that what is done once is done."""

    def run(self, photos: Sequence[Path]) -> Pass:
        """One timed pass."""

    def read(self, photos: Sequence[Path]) -> Pass:
        """One pass that is not timed, with `FoundFace.reading`; a flow without labels need not have it."""


def _face(document: Mapping[str, Any]) -> FoundFace:
    x1, y1, x2, y2 = (float(value) for value in document["box"])
    reading = document["reading"]
    return FoundFace(
        (x1, y1, x2, y2), document["gender"], document["age_group"], Reading(**reading) if reading else None
    )
