"""What a lesson asks of a student: to differ from face to face as its teacher does."""

from __future__ import annotations

import pytest

from tests.support.needs_torch import Tensor, torch
from training.lessons import Lesson, Projections, lesson_losses, maps_of, mixture
from training.trainable import YEARS
from worker.pipeline.network import Network


@pytest.fixture
def lesson() -> Lesson:
    torch.manual_seed(0)
    maps = (torch.randn(8, 6, 8, 8), torch.randn(8, 7, 4, 4), torch.randn(8, 9, 2, 2))
    return Lesson(torch.randn(8, 2), torch.randn(8, YEARS), maps)


def terms(lesson: Lesson, maps: tuple[Tensor, ...]) -> dict[str, float]:
    found = lesson_losses(lesson.gender, lesson.age, maps, lesson, weight=1.0)
    return {name: float(term) for name, term in found.items()}


def test_who_says_what_the_teacher_says_has_learned_it(lesson: Lesson) -> None:
    assert terms(lesson, lesson.maps) == pytest.approx(
        dict.fromkeys(("lesson_gender", "lesson_years", "lesson_features", "lesson_maps"), 0), abs=1e-5
    )


def test_what_all_faces_share_teaches_nothing(lesson: Lesson) -> None:
    shifted = tuple(3 * each + torch.arange(each.shape[1]).view(1, -1, 1, 1) for each in lesson.maps)
    assert terms(lesson, shifted) == pytest.approx(terms(lesson, lesson.maps), abs=1e-4)
    other = tuple(each.roll(1, 0) for each in lesson.maps)
    assert terms(lesson, other)["lesson_features"] > 0.5
    assert terms(lesson, other)["lesson_maps"] > 0.5


def test_heads_are_held_against_the_teachers(lesson: Lesson) -> None:
    found = lesson_losses(-lesson.gender, lesson.age.roll(1, 0), lesson.maps, lesson, weight=0.5)
    assert found["lesson_gender"] > 0.05 and found["lesson_years"] > 0.05
    double = lesson_losses(-lesson.gender, lesson.age.roll(1, 0), lesson.maps, lesson, weight=1.0)
    assert float(double["lesson_gender"]) == pytest.approx(2 * float(found["lesson_gender"]))


@pytest.mark.parametrize("side_px", [32, 40, 96])
def test_both_architectures_have_maps_of_three_depths_at_any_size(side_px: int) -> None:
    student, teacher = (Network(name, YEARS).eval() for name in ("efficientnet_v2_s", "mobilenet_v1"))
    images = torch.randn(2, 3, side_px, side_px)
    with torch.no_grad():
        own, shown = maps_of(student, images), maps_of(teacher, images)
        projected = Projections(student, [each.shape[1] for each in shown])(own)
        features, _, _ = student(images)
    assert torch.allclose(own[-1].mean(dim=(2, 3)), features)
    assert [each.shape[1] for each in projected] == [256, 512, 1024]


def test_a_mixture_is_mostly_the_picture_itself() -> None:
    torch.manual_seed(0)
    images = torch.eye(6).view(6, 6, 1, 1)
    mixed = mixture(images).flatten(1)
    assert torch.allclose(mixed.sum(dim=1), torch.ones(6))
    assert (mixed.diagonal() >= 0.5).all() and (mixed.diagonal() < 1).any()
