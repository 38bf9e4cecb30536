"""The two flat tables of results, `photos` and `faces`: each column once, with all that is told of it.

A column is a field here and a line of `nightshift.words.table_rows`. Columns are found by name; their order
is no promise. A new one does not raise `FORMAT_VERSION`; one that goes, or means something else, does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from nightshift.words.columns import Told

FORMAT_VERSION = 1
"""Of the results: the JSON Lines and the tables."""

_PX = "pixels"
_DEG = "degrees"
_SHARE = "0-1"


@dataclass(frozen=True, kw_only=True)
class _OfPhoto:
    """What both tables say of a photo."""

    custom_id: Annotated[
        str,
        Told(
            "The photo's name in its job: for a folder, its path in the folder; the same text in every file.",
            "evening-1/tilted-left.jpg",
        ),
    ]
    photo_id: Annotated[
        str, Told("The photo's id; joins the two tables.", "pho_01a20af47d58a3631e381e45c6c04f48")
    ]
    path: Annotated[
        str | None,
        Told(
            "The file, as a full path with all links followed; as a `file:` URL where its name is no UTF-8;"
            " empty for uploads.",
            "/srv/photos/party/evening-1/tilted-left.jpg",
        ),
    ]
    root: Annotated[
        str | None,
        Told("The folder or file that was given, under which the photo was found.", "/srv/photos/party"),
    ]
    sha256: Annotated[
        str | None,
        Told(
            "Digest of the file's bytes, hex.",
            "f1b1cb98c73189f5e5ded1b2e496c803ba26d0bdc0cb03932d9f39661ea68369",
        ),
    ]
    width: Annotated[int | None, Told("Width of the upright photo at full size.", 640, _PX)]
    height: Annotated[int | None, Told("Height of the upright photo at full size.", 640, _PX)]
    exif_orientation: Annotated[int | None, Told("1-8 as the file said, 1 when it said nothing readable.", 1)]
    scale: Annotated[
        float | None, Told("Side of the photo that the detector saw, of its full size.", 1.0, _SHARE, 4)
    ]
    taken_at: Annotated[
        str | None,
        Told(
            "When the photo was taken by its camera's clock (EXIF DateTimeOriginal), as ISO 8601; with the"
            " offset from UTC where the camera said it.",
            "2026-11-24T21:35:26+01:00",
        ),
    ]
    camera_make: Annotated[str | None, Told("The camera's make, by EXIF.", "Canon")]
    camera_model: Annotated[str | None, Told("The camera's model, by EXIF.", "EOS R6")]


@dataclass(frozen=True, kw_only=True)
class _OfRun:
    """What both tables say of how a photo was analysed."""

    job_id: Annotated[str, Told("The job, that is the run.", "job_01a20af47d586a31e381e45c6c04f480")]
    bundle: Annotated[str | None, Told("Name of the weights.", "faces-mobilenet")]
    bundle_sha256: Annotated[
        str | None,
        Told(
            "Digest of the weights, hex.",
            "98756d4c22086fa451f1a80f14793b53bd10a91a1d63581a65ebfdfa3a7bab96",
        ),
    ]
    precision: Annotated[
        str | None, Told("The classifier's number format: `fp32`, `bf16`, `fp16`, `int8`.", "fp32")
    ]
    option_min_confidence: Annotated[
        float, Told("Option: faces with less `confidence` were dropped.", 0.9, _SHARE)
    ]
    option_min_face_px: Annotated[
        int, Told("Option: smallest face looked for, in the photo scaled to `option_height`.", 20, _PX)
    ]
    option_height: Annotated[int, Told("Option: height that taller photos were scaled down to.", 1080, _PX)]
    option_tilt_threshold_deg: Annotated[
        float, Told("Option: a face tilted by more was turned upright.", 11.25, _DEG)
    ]
    threshold_gender: Annotated[
        float | None,
        Told(
            "Under this `gender_probability` the gender is uncertain. Empty, as the next six, where the"
            " weights are not there any more.",
            0.75,
            _SHARE,
        ),
    ]
    threshold_age_group: Annotated[
        float | None, Told("Under this `age_group_probability` the age group is uncertain.", 0.4, _SHARE)
    ]
    threshold_sharpness: Annotated[
        float | None, Told("Under this `sharpness` both labels are uncertain, as `blurred`.", 0.36)
    ]
    threshold_crop_size_px: Annotated[
        float | None,
        Told("Under this `crop_size_px` both labels are uncertain, as `small`.", 32.0, _PX),
    ]
    threshold_brightness: Annotated[
        float | None, Told("Under this `brightness` both labels are uncertain, as `dark`.", 0.08, _SHARE)
    ]
    threshold_yaw_deg: Annotated[
        float | None,
        Told("Over this `yaw_deg`, either way, both labels are uncertain, as `turned`.", 50.0, _DEG),
    ]
    threshold_cut_off: Annotated[
        float | None, Told("Over this `cut_off` both labels are uncertain, as `cut_off`.", 0.25, _SHARE)
    ]
    format_version: Annotated[
        int, Told("Of the tables: raised when a column goes or means something else.", FORMAT_VERSION)
    ]


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What became of a photo."""

    status: Annotated[str, Told("`succeeded`, `failed` or `cancelled`.", "succeeded")]
    faces: Annotated[int, Told("Faces found; 0 is a success.", 1)]
    error_code: Annotated[str | None, Told("Why it failed, or what cancelled it.", "corrupt_image")]
    error_stage: Annotated[str | None, Told("Where on its way it failed.", "decode")]
    error_message: Annotated[str | None, Told("The same in a sentence.", "the file is cut off")]
    error_retryable: Annotated[bool | None, Told("Whether the same bytes may succeed another time.", False)]
    warnings: Annotated[
        str | None, Told("What was odd about the file, separated by ` | `.", "EXIF could not be read")
    ]
    attempts: Annotated[int, Told("How often a worker has taken it.", 1)]
    reused: Annotated[bool, Told("Whether an earlier analysis of the same bytes was taken over.", False)]


@dataclass(frozen=True, kw_only=True)
class _OfFace:
    """What is said of a face."""

    face_index: Annotated[int, Told("0 for the photo's largest face, then by falling area.", 0)]
    confidence: Annotated[float, Told("The detector's, that this is a face.", 0.9962, _SHARE, 4)]
    x1: Annotated[
        float, Told("Left edge of the face's box in the upright photo at full size.", 134.0, _PX, 1)
    ]
    y1: Annotated[float, Told("Its upper edge, from the top.", 122.5, _PX, 1)]
    x2: Annotated[float, Told("Its right edge.", 258.8, _PX, 1)]
    y2: Annotated[float, Told("Its lower edge.", 261.9, _PX, 1)]
    x1_norm: Annotated[float, Told("`x1` as a fraction of the photo's width.", 0.20931, "", 5)]
    y1_norm: Annotated[float, Told("`y1` as a fraction of the photo's height.", 0.1914, "", 5)]
    x2_norm: Annotated[float, Told("`x2` as a fraction of the photo's width.", 0.40442, "", 5)]
    y2_norm: Annotated[float, Told("`y2` as a fraction of the photo's height.", 0.40924, "", 5)]
    box_size_px: Annotated[float, Told("Longer side of the box.", 139.4, _PX, 1)]
    left_eye_x: Annotated[float, Told("The eye on the image's left, from the left.", 165.6, _PX, 1)]
    left_eye_y: Annotated[float, Told("The eye on the image's left, from the top.", 184.1, _PX, 1)]
    right_eye_x: Annotated[float, Told("The eye on the image's right.", 216.3, _PX, 1)]
    right_eye_y: Annotated[float, Told("The eye on the image's right.", 162.3, _PX, 1)]
    nose_x: Annotated[float, Told("Tip of the nose.", 207.9, _PX, 1)]
    nose_y: Annotated[float, Told("Tip of the nose.", 198.5, _PX, 1)]
    mouth_left_x: Annotated[float, Told("Corner of the mouth on the image's left.", 188.1, _PX, 1)]
    mouth_left_y: Annotated[float, Told("Corner of the mouth on the image's left.", 228.2, _PX, 1)]
    mouth_right_x: Annotated[float, Told("Corner of the mouth on the image's right.", 239.6, _PX, 1)]
    mouth_right_y: Annotated[float, Told("Corner of the mouth on the image's right.", 205.0, _PX, 1)]
    roll_deg: Annotated[
        float,
        Told(
            "Tilt of the line through the eyes; positive when the eye on the image's right is lower.",
            -23.3,
            _DEG,
            1,
        ),
    ]
    aligned: Annotated[bool, Told("Whether the face was turned upright before it was read.", True)]
    gender: Annotated[str, Told("Apparent gender, the more probable one: `female` or `male`.", "female")]
    gender_probability: Annotated[float, Told("Probability of `gender`.", 0.8893, _SHARE, 4)]
    gender_uncertain: Annotated[bool, Told("Whether `gender_uncertain_because` names a reason.", False)]
    gender_uncertain_because: Annotated[
        str | None,
        Told(
            "Reasons, separated by spaces: `close_call`, `age`, `blurred`, `small`, `dark`, `turned`,"
            " `cut_off`.",
            "blurred close_call",
        ),
    ]
    p_female: Annotated[float | None, Told("Probability of `female`.", 0.8893, _SHARE, 4)]
    p_male: Annotated[float | None, Told("Probability of `male`.", 0.1107, _SHARE, 4)]
    age_group: Annotated[
        str,
        Told(
            "Apparent age group, the most probable one of eight: `0 to 4`, `5 to 9`, `10 to 19`, `20 to 29`,"
            " `30 to 39`, `40 to 49`, `50 to 64`, `65 or more`. Not `5-9`, as in the JSON Lines, which is a"
            " date to Excel.",
            "30 to 39",
        ),
    ]
    age_group_low: Annotated[int, Told("First year of the group.", 30, "years")]
    age_group_high: Annotated[
        int | None, Told("Last year of the group; empty for `65 or more`.", 39, "years")
    ]
    age_group_probability: Annotated[float, Told("Probability of `age_group`.", 0.3051, _SHARE, 4)]
    age_group_uncertain: Annotated[bool, Told("Whether `age_group_uncertain_because` names a reason.", True)]
    age_group_uncertain_because: Annotated[
        str | None, Told("Reasons, as in `gender_uncertain_because`.", "close_call")
    ]
    p_age_0_4: Annotated[float | None, Told("Probability of `0 to 4`.", 0.0012, _SHARE, 4)]
    p_age_5_9: Annotated[float | None, Told("Probability of `5 to 9`.", 0.0081, _SHARE, 4)]
    p_age_10_19: Annotated[float | None, Told("Probability of `10 to 19`.", 0.0773, _SHARE, 4)]
    p_age_20_29: Annotated[float | None, Told("Probability of `20 to 29`.", 0.2094, _SHARE, 4)]
    p_age_30_39: Annotated[float | None, Told("Probability of `30 to 39`.", 0.3051, _SHARE, 4)]
    p_age_40_49: Annotated[float | None, Told("Probability of `40 to 49`.", 0.1856, _SHARE, 4)]
    p_age_50_64: Annotated[float | None, Told("Probability of `50 to 64`.", 0.1667, _SHARE, 4)]
    p_age_65_up: Annotated[float | None, Told("Probability of `65 or more`.", 0.0466, _SHARE, 4)]
    age_years: Annotated[
        float | None,
        Told("Expected apparent age; empty where the weights know groups only.", 38.0, "years", 1),
    ]
    age_range: Annotated[
        str, Told("The shortest run of age groups that holds 80 % of the probability.", "20 to 64")
    ]
    age_range_low: Annotated[int, Told("First year of the range.", 20, "years")]
    age_range_high: Annotated[int | None, Told("Last year of the range; empty when it is open.", 64, "years")]
    age_range_probability: Annotated[float, Told("Probability of `age_range`.", 0.8668, _SHARE, 4)]
    sharpness: Annotated[
        float | None,
        Told("How fine the face's details are: 0 of an even surface, about 1 of a sharp face.", 1.214, "", 3),
    ]
    brightness: Annotated[float | None, Told("Mean of the crop, 0 black to 1 white.", 0.52, _SHARE, 3)]
    crop_size_px: Annotated[
        float | None,
        Told(
            "Side of the square that was cut out for the classifier, in the photo scaled to `option_height`.",
            111.6,
            _PX,
            1,
        ),
    ]
    yaw_deg: Annotated[
        float | None,
        Told("How far the face is turned to the side; positive towards the image's right.", 9.4, _DEG, 1),
    ]
    cut_off: Annotated[
        float | None, Told("Share of that square that lies outside of the photo.", 0.0, _SHARE, 3)
    ]


@dataclass(frozen=True, kw_only=True)
class PhotoRow(_OfRun, _Outcome, _OfPhoto):
    """One photo that is final, with or without a face."""


@dataclass(frozen=True, kw_only=True)
class FaceRow(_OfRun, _OfFace, _OfPhoto):
    """One face."""
