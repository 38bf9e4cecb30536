"""The reference photos, from bytes to labels."""

from __future__ import annotations

import pytest

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


def test_no_faces_is_a_success(found: dict[str, Analysis]) -> None:
    assert found["no_faces"].faces == ()


def test_boxes_are_in_the_full_photo(found: dict[str, Analysis]) -> None:
    analysis = found["portrait_3"]
    assert (analysis.width, analysis.height) == (1638, 2048)
    assert analysis.scale == pytest.approx(1080 / 2048)
    (face,) = analysis.faces
    assert face.size_px > 1200, "the face fills the photo; in the scaled photo it would be half of it"
    assert face.box_norm.y2 == pytest.approx(face.box.y2 / 2048)
