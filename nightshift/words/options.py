"""What a client may choose for one job."""

from __future__ import annotations

import hashlib
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _whole(value: object) -> object:
    # To JSON, 5.0 and 5 are one number.
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole, json_schema_input_type=int)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class AnalysisOptions(BaseModel):
    """Options that change what the pipeline finds; part of the key under which results are reused."""

    # Strict: neither true nor "5" is a number. What brings text alone, a form, says so when it validates.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    min_confidence: Fraction = Field(0.90, description="Faces the detector is less sure of are dropped.")
    min_face_px: Whole = Field(
        20,
        ge=12,
        le=1080,
        description="Smallest face looked for, pixels in the photo scaled to `height`.",
    )
    height: Whole = Field(
        1080,
        ge=64,
        le=4320,
        description="A taller photo is scaled down to this many pixels in height; never up.",
    )
    tilt_threshold_deg: float = Field(
        11.25,
        ge=0,
        le=180,
        description="A face tilted by more than this, either way, is rotated upright.",
    )

    def fingerprint(self, reading: str) -> str:
        """Hex digest, equal for equal options under weights that are read alike (`Manifest.reading`)."""
        return hashlib.sha256(f"{self.model_dump_json()}{reading}".encode()).hexdigest()[:32]


class JobOptions(AnalysisOptions):
    """All options of a job."""

    reuse: bool = Field(
        True,
        description="Reuse the result of an identical file, analysed with the same weights and options.",
    )
    delete_originals: bool = Field(
        False,
        description="Delete uploaded photos from the store when the job has ended; results and thumbnails"
        " stay. Photos registered in place are never touched.",
    )

    def analysis(self) -> AnalysisOptions:
        """The part that the pipeline reads."""
        return AnalysisOptions(**self.model_dump(include=set(AnalysisOptions.model_fields)))
