"""What may be chosen: each option with its bounds and its words, once.

The options of a job, the settings that are their defaults, and the command's flags are made from them.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from nightshift.words.pairs import PairsWish

_WHOLE = re.compile("-?[0-9]+")
_NUMBER = re.compile("-?[0-9]+(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?")


def _whole(value: object) -> object:
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError("must be written in plain digits, such as 10")
    # To JSON, 5.0 and 5 are one number.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _number(value: object) -> object:
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError("must be written as in JSON, such as 0.5 or 1e-3")
    return value


def _truth(value: object) -> object:
    # `True`, too: programs in Python, those made from the API's description among them, write it so.
    if isinstance(value, str) and (value := value.lower()) not in {"true", "false"}:
        raise ValueError("must be `true` or `false`")
    return value


# Where text stands for a value (a query, a form), it is written in the one way that JSON has for it. What a
# parser of Python's takes beside it (`1_0`, ` 10`, `nan`, digits of other scripts, `y`) was meant otherwise.
_IN_DIGITS = BeforeValidator(_whole)
_AS_IN_JSON = BeforeValidator(_number)
Whole = Annotated[int, _IN_DIGITS]
Number = Annotated[float, _AS_IN_JSON]
Fraction = Annotated[float, Field(ge=0, le=1), _AS_IN_JSON]
Truth = Annotated[bool, BeforeValidator(_truth)]

MinConfidence = Annotated[
    float,
    Field(ge=0, le=1, description="Faces the detector is less sure of are dropped."),
    # After the bounds, or the schema would not have them.
    _AS_IN_JSON,
]
MinFacePx = Annotated[
    int,
    Field(ge=12, le=1080, description="Smallest face looked for, pixels in the photo scaled to `height`."),
    _IN_DIGITS,
]
Height = Annotated[
    int,
    Field(
        ge=64, le=4320, description="A taller photo is scaled down to this many pixels in height; never up."
    ),
    _IN_DIGITS,
]
TiltThresholdDeg = Annotated[
    float,
    Field(ge=0, le=180, description="A face tilted by more degrees, either way, is rotated upright."),
    _AS_IN_JSON,
]

# Settings that the command has flags for.
Home = Annotated[
    Path, Field(description="Folder of the embedded parts: database, store, broker socket, logs.")
]
Host = Annotated[str, Field(description="Address the API listens on.")]
Port = Annotated[int, Field(ge=0, le=65535, description="Port the API listens on; 0 takes a free one.")]
BundlePlace = Annotated[str, Field(description="Weights: a name under `NIGHTSHIFT_WEIGHTS_DIR`, or a path.")]
Workers = Annotated[
    int,
    Field(
        ge=0,
        le=256,
        description="Local worker processes; 0: one for each core that may be used, as far as the memory"
        " goes (a gigabyte each), at most 8.",
    ),
]


class AnalysisOptions(BaseModel):
    """Options that change what the pipeline finds; part of the key under which results are reused."""

    # Strict: neither true nor "5" is a number. What brings text alone, a form, says so when it validates.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    min_confidence: MinConfidence = 0.90
    min_face_px: MinFacePx = 20
    height: Height = 1080
    tilt_threshold_deg: TiltThresholdDeg = 11.25

    def fingerprint(self, reading: str) -> str:
        """Hex digest, equal for equal options under weights that are read alike (`Manifest.reading`)."""
        return hashlib.sha256(f"{self.model_dump_json()}{reading}".encode()).hexdigest()[:32]


PairsOption = Annotated[
    PairsWish,
    Field(
        description="Of a camera's raw file and a JPEG, or HEIC, of one name in a folder, or a zip's: `one`"
        " photo, the JPEG, with a note of the raw file; only the `jpeg` or the `raw` file; `both`, as two."
    ),
]


PREVIEW_PX = 320

PreviewPx = Annotated[
    int,
    Field(
        ge=PREVIEW_PX,
        le=1600,
        description="Longest side of the picture that is kept of a photo for the report and the page: with"
        " 1600 a report is sharp where the photos themselves are not at hand. It is never larger than the"
        " photo scaled to `height`. A photo whose earlier analysis kept a smaller one is analysed again.",
    ),
    _IN_DIGITS,
]


class JobOptions(AnalysisOptions):
    """All options of a job."""

    reuse: Truth = Field(
        True,
        description="Reuse the result of an identical file, analysed with the same weights and options.",
    )
    delete_originals: Truth = Field(
        False,
        description="Delete uploaded photos from the store when the job has ended; results and thumbnails"
        " stay. Photos registered in place are never touched.",
    )

    pairs: PairsOption = "one"
    preview_px: PreviewPx = PREVIEW_PX

    def analysis(self) -> AnalysisOptions:
        """The part that the pipeline reads."""
        return AnalysisOptions(**self.model_dump(include=set(AnalysisOptions.model_fields)))
