"""Under which quality of a face a bundle's labels are uncertain."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Limits(BaseModel):
    """`limits` of a manifest; what is left out is what was measured for the shipped weights.

    `python -m training.degraded` measures what they are good for; docs/model-card.md has its table.

    Attributes:
        min_sharpness: see `worker.pipeline.quality.sharpness`.
        min_size_px: side of the face's square in the photo as it was decoded.
        min_brightness: mean of the crop, 0-1.
        max_yaw_deg: either way.
        max_cut_off: share of the face's square that the photo does not have, 0-1.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    min_sharpness: float = Field(0.36, ge=0, le=10, allow_inf_nan=False)
    min_size_px: float = Field(32, ge=0, le=1000, allow_inf_nan=False)
    min_brightness: float = Field(0.08, ge=0, le=1, allow_inf_nan=False)
    max_yaw_deg: float = Field(50, ge=0, le=90, allow_inf_nan=False)
    max_cut_off: float = Field(0.25, ge=0, le=1, allow_inf_nan=False)
