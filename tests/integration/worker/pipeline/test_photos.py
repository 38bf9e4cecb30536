"""The reference photos, from bytes to labels."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image, ImageFilter

from nightshift.words.analysis import Analysis
from nightshift.words.options import AnalysisOptions
from tests.support.reference_data import needs_photos, photo
from worker.pipeline.analyse import Pipeline

pytestmark = needs_photos


@pytest.fixture(scope="module")
def found(pipeline: Pipeline) -> dict[str, Analysis]:
    """All of them as one batch."""
    options = AnalysisOptions()
    names = ["group_of_six", *(f"portrait_{number}" for number in range(1, 5)), "no_faces"]
    photos = [pipeline.decode(photo(f"{name}.jpg"), options) for name in names]
    answers = dict(zip(names, pipeline.analyse(photos, options), strict=True))
    return {name: answer for name, answer in answers.items() if isinstance(answer, Analysis)}


def test_six_people_have_six_faces(found: dict[str, Analysis]) -> None:
    assert len(found["group_of_six"].faces) == 6
    assert [face.index for face in found["group_of_six"].faces] == list(range(6))


@pytest.mark.parametrize(
    ("name", "gender"),
    [("portrait_1", "female"), ("portrait_2", "female"), ("portrait_3", "male"), ("portrait_4", "male")],
)
def test_a_portrait_has_one_face_of_its_gender(found: dict[str, Analysis], name: str, gender: str) -> None:
    (face,) = found[name].faces
    assert face.gender.value == gender
    assert face.age_group.low >= 20


def test_nothing_is_the_matter_with_any_of_the_faces(found: dict[str, Analysis]) -> None:
    for analysis in found.values():
        for face in analysis.faces:
            assert set(face.gender.uncertain_because) <= {"close_call"}, face.quality


def test_quality_is_the_same_bit_for_bit_in_a_batch_and_alone(
    pipeline: Pipeline, found: dict[str, Analysis]
) -> None:
    for name in ("group_of_six", "portrait_2"):
        options = AnalysisOptions()
        (alone,) = pipeline.analyse([pipeline.decode(photo(f"{name}.jpg"), options)], options)
        assert isinstance(alone, Analysis)
        assert [face.quality for face in alone.faces] == [face.quality for face in found[name].faces]
        assert all(face.quality for face in alone.faces)


@pytest.mark.parametrize(
    ("reason", "worse"),
    [
        ("blurred", lambda image: image.filter(ImageFilter.GaussianBlur(0.04 * 96))),
        ("small", lambda image: image.resize((image.width * 26 // 96, image.height * 26 // 96))),
        # Enlarged from few pixels: large again, and no sharper.
        ("blurred", lambda image: image.resize((image.width // 6, image.height // 6)).resize(image.size)),
        ("dark", lambda image: image.point(lambda level: level * 0.08)),
    ],
)
def test_faces_that_say_too_little_are_marked(
    pipeline: Pipeline, reason: str, worse: Callable[[Image.Image], Image.Image]
) -> None:
    with Image.open(io.BytesIO(photo("group_of_six.jpg"))) as image:
        out = io.BytesIO()
        worse(image.convert("RGB")).save(out, "JPEG", quality=95)
    (analysis,) = pipeline.analyse([pipeline.decode(out.getvalue(), AnalysisOptions())], AnalysisOptions())
    assert isinstance(analysis, Analysis) and analysis.faces
    for face in analysis.faces:
        assert reason in face.gender.uncertain_because, face.quality
        assert reason in face.age_group.uncertain_because


def test_no_faces_is_a_success(found: dict[str, Analysis]) -> None:
    assert found["no_faces"].faces == ()


def test_boxes_are_in_the_full_photo(found: dict[str, Analysis]) -> None:
    analysis = found["portrait_3"]
    assert (analysis.width, analysis.height) == (1638, 2048)
    assert analysis.scale == pytest.approx(1080 / 2048)
    (face,) = analysis.faces
    assert face.size_px > 1200, "the face fills the photo; in the scaled photo it would be half of it"
    assert face.box_norm.y2 == pytest.approx(face.box.y2 / 2048)
