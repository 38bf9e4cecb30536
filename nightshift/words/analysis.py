"""What a photo's analysis says.

Coordinates are float pixels in the upright photo at its own full size, origin top-left.
"Left" is the side of the image, not of the person. Gender and age are *apparent*: what a
classifier reads from the pixels, not what anyone is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, computed_field

from nightshift.words.code_fields import PhotoErrorCode
from nightshift.words.errors import AnyCode, Fails

Stage = Literal["read", "decode", "detect", "align", "classify", "save", "queue"]
"""Where in a photo's way through the system an error arose."""

AGE_GROUPS: tuple[tuple[str, int, int | None], ...] = (
    ("0-4", 0, 4),
    ("5-9", 5, 9),
    ("10-19", 10, 19),
    ("20-29", 20, 29),
    ("30-39", 30, 39),
    ("40-49", 40, 49),
    ("50-64", 50, 64),
    ("65+", 65, None),
)
"""Label, first and last year of the apparent age groups; the last one is open."""


DOUBTS = {
    "blurred": "blurred",
    "small": "too small",
    "dark": "too dark",
    "turned": "turned away",
    "cut_off": "cut off",
    "age": "hard to tell at this age",
    "close_call": "close call",
}
"""Why a label is uncertain, in a word for programs and in words for people."""

# A newer server may have other reasons, so that any text is read.
Doubt = Annotated[str, Field(json_schema_extra={"enum": [*DOUBTS]})]

AGE_RANGE_HOLDS = 0.8
"""Probability that a range of ages holds at least."""


class _Answered:
    """Part of an answer. It has no room for a field that a newer server adds: such a field is passed over."""

    __slots__ = ()
    __pydantic_config__: ClassVar = {"extra": "ignore", "json_schema_serialization_defaults_required": True}


@dataclass(frozen=True, slots=True)
class Box(_Answered):
    """Axis-aligned box xyxy; pixels, or fractions of width and height where named so."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Point(_Answered):
    """One point in pixels, x to the right and y down."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Landmarks(_Answered):
    """MTCNN's five points. `left_eye` and `mouth_left` are those on the image's left."""

    left_eye: Point
    right_eye: Point
    nose: Point
    mouth_left: Point
    mouth_right: Point


@dataclass(frozen=True, slots=True)
class Gender(_Answered):
    """Apparent gender.

    Attributes:
        value: the most probable class, `female` or `male`.
        probability: of that class, 0-1.
        probabilities: of every class, summing to 1.
        uncertain: True when there is a reason why.
        uncertain_because: those of `DOUBTS` that hold. `close_call`: `probability` is under the bundle's
            threshold; `age`: the bundle cannot tell gender at this apparent age; the others: the face's
            quality is under its limits.
    """

    value: str
    probability: float
    probabilities: dict[str, float]
    uncertain: bool
    uncertain_because: tuple[Doubt, ...] = ()

    def __post_init__(self) -> None:
        """Give the reason where none is said."""
        _with_reason(self)


@dataclass(frozen=True, slots=True)
class AgeGroup(_Answered):
    """Apparent age group; `low` and `high` in years, both included, `high` None when open.

    The other attributes are as those of `Gender`.
    """

    label: str
    low: int
    high: int | None
    probability: float
    probabilities: dict[str, float]
    uncertain: bool
    uncertain_because: tuple[Doubt, ...] = ()

    def __post_init__(self) -> None:
        """Give the reason where none is said."""
        _with_reason(self)


def _with_reason(label: Gender | AgeGroup) -> None:
    # Before reasons were told, a label's probability was the only one.
    if label.uncertain and not label.uncertain_because:
        object.__setattr__(label, "uncertain_because", ("close_call",))


@dataclass(frozen=True, slots=True)
class AgeRange(_Answered):
    """Apparent age as a range of groups; `low` and `high` in years, both included, `high` None when open."""

    low: int
    high: int | None
    probability: float

    @property
    def label(self) -> str:
        """As it is printed: `20-39`, `65+`."""
        return f"{self.low}+" if self.high is None else f"{self.low}-{self.high}"


def age_range(group: AgeGroup) -> AgeRange:
    """The shortest run of groups that holds 80 % of the probability, the likeliest among them.

    Of runs of the same number of groups, the likelier one. A group that is not known here, of a newer
    server, or one without probabilities, is its own range.
    """
    shares = [group.probabilities.get(label, 0.0) for label, _, _ in AGE_GROUPS]
    best = next((place for place, (label, _, _) in enumerate(AGE_GROUPS) if label == group.label), None)
    if best is None or sum(shares) < AGE_RANGE_HOLDS:
        return AgeRange(group.low, group.high, group.probability)
    for groups in range(1, len(shares) + 1):
        first = max(
            range(max(0, best - groups + 1), min(best, len(shares) - groups) + 1),
            key=lambda first: sum(shares[first : first + groups]),
        )
        held = sum(shares[first : first + groups])
        if held >= AGE_RANGE_HOLDS:
            break
    return AgeRange(AGE_GROUPS[first][1], AGE_GROUPS[first + groups - 1][2], held)


@dataclass(frozen=True, slots=True)
class Quality(_Answered):
    """How much of a face there is to read; the pixels are those of the photo scaled to `height`.

    Attributes:
        sharpness: how fine the face's details are, independent of its size and contrast: 0 of an even
            surface, about 1 of a sharp face.
        brightness: mean, 0 black to 1 white.
        size_px: side of the square that is cut out for the classifier, pixels before it is scaled: about the
            width of the face from ear to ear.
        yaw_deg: how far it is turned to the side, degrees, -90 to 90; positive towards the image's right.
        cut_off: share of that square that lies outside of the photo, 0-1.
    """

    sharpness: float
    brightness: float
    size_px: float
    yaw_deg: float
    cut_off: float


@dataclass(frozen=True, slots=True)
class Face(_Answered):
    """One detected face.

    Attributes:
        index: 0 for the photo's largest face, then by falling area.
        box: pixels in the upright photo at full size; may reach past its edges.
        box_norm: the same box as fractions of the photo's width and height.
        confidence: MTCNN's, 0-1.
        landmarks: five points in the coordinates of `box`.
        roll_deg: tilt of the line through the eyes, degrees, positive when the eye on the
            image's right is lower; -180 to 180.
        aligned: True when the tilt was over the threshold and the crop was rotated upright.
        size_px: longer side of `box`, pixels.
        gender: apparent gender.
        age_group: apparent age group.
        age_years: expected apparent age in years, None when the bundle knows groups only.
        quality: how much of it there is to read, None of an analysis from before that was measured.
    """

    index: int
    box: Box
    box_norm: Box
    confidence: float
    landmarks: Landmarks
    roll_deg: float
    aligned: bool
    size_px: float
    gender: Gender
    age_group: AgeGroup
    age_years: float | None
    quality: Quality | None = None

    @computed_field(description="The shortest run of age groups that holds 80 %.")  # type: ignore[prop-decorator]
    @property
    def age_range(self) -> AgeRange:
        """What to say where one group is uncertain; computed from the groups' probabilities."""
        return age_range(self.age_group)


@dataclass(frozen=True, slots=True)
class PhotoError(_Answered):
    """Why a photo failed.

    Attributes:
        code: one of `PHOTO_ERROR_CODES`; a newer one where a newer version wrote it.
        stage: where it happened.
        message: one sentence for a person.
        retryable: True when the same bytes may succeed another time.
    """

    code: PhotoErrorCode
    stage: Stage
    message: str
    retryable: bool = False

    @classmethod
    def of(cls, code: AnyCode, stage: Stage, message: str, *, retryable: bool | None = None) -> Self:
        """What a photo fails with here; `retryable` only where it is otherwise than the code says."""
        if retryable is None:
            retryable = bool(code.fails & Fails.PHOTO_FOR_NOW)
        return cls(code, stage, message, retryable)


@dataclass(frozen=True, slots=True)
class TimingsMs(_Answered):
    """A photo's share of its batch's time in each step, milliseconds."""

    decode: float = 0.0
    detect: float = 0.0
    align: float = 0.0
    classify: float = 0.0


LOW_CONFIDENCE = 0.7
"""Faces of which MTCNN is less sure are never kept: its last network's own threshold."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the pipeline found in one photo.

    Attributes:
        width: of the upright photo at full size, pixels.
        height: likewise.
        exif_orientation: 1-8 as the file said, 1 when it said nothing readable.
        scale: side of the photo the detector saw, as a fraction of full size, 0-1.
        faces: largest first; empty is a success.
        low_confidence_faces: those of which the detector is less sure than the job's `min_confidence`, yet at
            least `LOW_CONFIDENCE`; largest first, their indices go on behind those of `faces`. No count has
            them. None of an analysis from before they were kept.
        timings_ms: by step.
        precision: number format of the classifier, `fp32`, `bf16`, `fp16` or `int8`.
        warnings: short sentences, e.g. that EXIF could not be read.
        taken_at: by the camera's clock, as ISO 8601, with an offset where the camera said it; None when it
            said no time.
        camera_make: visible characters, 100 at most.
        camera_model: likewise.
    """

    width: int
    height: int
    exif_orientation: int
    scale: float
    faces: tuple[Face, ...]
    timings_ms: TimingsMs
    precision: str
    warnings: tuple[str, ...] = field(default=())
    taken_at: str | None = None
    camera_make: str | None = None
    camera_model: str | None = None
    low_confidence_faces: tuple[Face, ...] | None = None
