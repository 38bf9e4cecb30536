"""A bundle's card: what it is, how good it is, where it comes from, and what its makers did not say."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nightshift.words.document import Document, Known
from nightshift.words.models import Model, ModelMetrics
from nightshift.words.thresholds import Thresholds

CardPart = Literal["licence", "commercial_use", "metrics", "calibration", "training", "thresholds", "limits"]
"""What a manifest may leave out, and a reader would look for."""


class Measured(ModelMetrics):
    """How good weights were on some faces, as their manifest says; null where it does not."""

    on: str = Field(description="Which faces, such as `validation`.")
    by: str | None = Field(
        None, description="What faces were parted by, such as `age_group`; null: by nothing."
    )
    group: str | None = Field(None, description="Which of those parts, such as `20-29`; null: all faces.")
    faces: int | None = Field(None, description="How many were measured.")


class Calibrated(Document):
    """How the probabilities of a head were set, as the manifest says; null where it does not."""

    temperature: float | None = Field(None, description="By which the logarithms were divided.")
    error_before: float | None = Field(None, description="Expected calibration error without it, 0-1.")
    error_after: float | None = Field(None, description="The same with it.")
    precision: float | None = Field(
        None, description="Share of right labels that the threshold was chosen for, 0-1."
    )
    within: int | None = Field(
        None, description="How many groups away still counted as right: 0, or 1 for the next one, too."
    )
    certain: float | None = Field(None, description="Share of labels that are then not `uncertain`, 0-1.")
    certain_right: float | None = Field(None, description="Share of these that were right, 0-1.")


class Calibration(Document):
    """How the probabilities of both heads were set."""

    gender: Calibrated = Field(default_factory=Calibrated)
    age_group: Calibrated = Field(default_factory=Calibrated)


class EightBits(Document):
    """What comes out where convolutions are computed in eight bits: labels that are those of 32."""

    gender: float = Field(description="Share of apparent genders that stay what they are, 0-1.")
    age_group: float = Field(description="Share of apparent age groups that do, 0-1.")
    faces: int | None = Field(None, description="Of how many faces.")


class WeightsFile(Document):
    """A file of weights, as the manifest names it."""

    name: str
    sha256: str = Field(description="Of its bytes, hex.")
    dtype: str | None = Field(None, description="Format of its numbers; null where they are of several.")


class Line(Document):
    """Something that a manifest says, in its own words."""

    about: str = Field(description="Names of the fields that lead there, by dots; empty for the text itself.")
    text: str


class ModelCard(Model):
    """A bundle, by all that its manifest says of it. Texts are its makers' own: plain text, never markup."""

    architecture: str | None = Field(None, description="`onnx`, or the name of layers that are known.")
    age_by_gender: bool = Field(False, description="Whether ages are read by the apparent gender.")
    files: list[WeightsFile] = Field(default_factory=list)
    measured: list[Measured] = Field(
        default_factory=list, description="Of all faces first, then of parts of them."
    )
    thresholds: Thresholds | None = Field(
        None, description="Where its labels become uncertain, said or as usual; null when it is broken."
    )
    gender_uncertain_at: list[str] = Field(
        default_factory=list, description="Apparent age groups at which every gender is uncertain."
    )
    calibration: Calibration = Field(default_factory=Calibration)
    eight_bits: EightBits | None = Field(None, description="Null where it is not computed in eight bits.")
    training: list[Line] = Field(
        default_factory=list, description="Where it comes from: what it was trained on, and how; 500 at most."
    )
    remarks: list[Line] = Field(
        default_factory=list, description="What its makers say of the measuring and the calibration."
    )
    notices: list[Line] = Field(default_factory=list, description="Texts that must go along with it, whole.")
    not_said: list[Known[CardPart]] = Field(
        default_factory=list,
        description="What its manifest leaves out. Thresholds and limits are as usual then.",
    )
