"""Where labels become uncertain."""

from __future__ import annotations

from pydantic import Field

from nightshift.words.document import Document


class Thresholds(Document):
    """Where the labels of a job's weights become uncertain, by their manifest."""

    gender: float = Field(description="Least probability of an apparent gender that is no close call.")
    age_group: float = Field(description="Least probability of an apparent age group that is none.")
    sharpness: float = Field(description="Least sharpness of a face.")
    crop_size_px: float = Field(description="Least size, as of `quality.size_px`, pixels.")
    brightness: float = Field(description="Least brightness, 0-1.")
    yaw_deg: float = Field(description="Most that it may be turned to either side, degrees.")
    cut_off: float = Field(description="Most that may lie outside of the photo, 0-1.")
