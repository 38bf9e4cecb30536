"""What a trained bundle shows another network in training: distillation, on the very picture both see.

The teacher's heads are matched in softened form (Hinton et al. 2015), its pooled features and its maps of
several depths by what varies from face to face: every channel is centred and scaled over the batch, since the
mean that all faces share is most of a feature and teaches nothing. The student's maps pass projections that
are thrown away after the training (Romero et al. 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.bundles.manifest import Architecture
from training.error_codes import TrainingCode
from training.trainable import load_trainable
from worker.pipeline.choice import native_precision
from worker.pipeline.network import Network

_DEPTHS: dict[Architecture, tuple[str, ...]] = {
    "efficientnet_v2_s": ("3", "5", "7"),
    "mobilenet_v1": ("clip10", "clip22", "clip26"),
}
"""The last layers whose maps have a step of 8, 16 and 32 pixels of the input; the last are the features."""

_TEMPERATURE = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """A teacher's gender logits [N, 2], age logits [N, years] and maps of three depths, float32."""

    gender: Tensor
    age: Tensor
    maps: tuple[Tensor, ...]


class Teacher:
    """A bundle that teaches.

    Args:
        folder: of the bundle.

    Attributes:
        sha256: of the bundle.
        side_px: of the pictures it is shown; the student sees them shrunk to its own size.
        channels: of its maps.

    Raises:
        ModelUnavailable: it is no bundle.
        InvalidInput: `bad_teacher` when its heads or its normalisation are not those that training has.
    """

    def __init__(self, folder: Path) -> None:
        bundle = load_trainable(folder, TrainingCode.BAD_TEACHER)
        self.sha256 = bundle.manifest.sha256
        self.side_px = bundle.manifest.input.size
        self._network = bundle.network
        self._bf16 = native_precision("cpu") == "bf16"
        self.channels = _channels(bundle.network)

    def __call__(self, images: Tensor) -> Lesson:
        """What it says of float [N, 3, S, S], normalised."""
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            maps = maps_of(self._network, images)
            features = maps[-1].mean(dim=(2, 3))
            gender, age = self._network.gender(features), self._network.age(features)
        return Lesson(gender.float(), age.float(), tuple(each.float() for each in maps))


class Projections(nn.Module):
    """From a network's maps to a teacher's.

    Args:
        network: the student.
        channels: of the teacher's maps.
    """

    def __init__(self, network: Network, channels: Sequence[int]) -> None:
        super().__init__()
        self.of = nn.ModuleList(
            nn.Conv2d(own, other, 1) for own, other in zip(_channels(network), channels, strict=True)
        )

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Maps as wide as the teacher's, float32."""
        return tuple(project(shown).float() for project, shown in zip(self.of, maps, strict=True))


def maps_of(network: Network, images: Tensor) -> tuple[Tensor, ...]:
    """Maps of three depths for float [N, 3, S, S], normalised; the last are the features."""
    maps, x = [], images
    for name, layer in network.features.named_children():
        x = layer(x)
        if name in _DEPTHS[network.architecture]:
            maps.append(x)
    return tuple(maps)


def lesson_losses(
    gender: Tensor, age: Tensor, maps: Sequence[Tensor], lesson: Lesson, weight: float
) -> dict[str, Tensor]:
    """The terms of the loss that a teacher gives, each weighted, by name.

    Args:
        gender: logits of the student.
        age: likewise.
        maps: of the student, projected.
        lesson: of the teacher for the same pictures.
        weight: factor of all.
    """
    pooled, shown = (each[-1].mean(dim=(2, 3)) for each in (maps, lesson.maps))
    between = torch.stack([_apart(*pair) for pair in zip(maps, lesson.maps, strict=True)]).mean()
    return {
        "lesson_gender": weight * _softened(gender, lesson.gender),
        "lesson_years": weight * _softened(age, lesson.age),
        "lesson_features": weight * _differing(pooled, shown),
        "lesson_maps": weight * between,
    }


def mixture(images: Tensor) -> Tensor:
    """Each picture with another of the batch over it (Zhang et al. 2018), by torch's global generator."""
    share = torch.rand(len(images), 1, 1, 1) * 0.5
    return images * (1 - share) + images.roll(1, 0) * share


def _softened(student: Tensor, teacher: Tensor) -> Tensor:
    soft = (teacher / _TEMPERATURE).softmax(dim=1)
    log_own = (student / _TEMPERATURE).log_softmax(dim=1)
    return _TEMPERATURE**2 * functional.kl_div(log_own, soft, reduction="batchmean")


def _apart(own: Tensor, shown: Tensor) -> Tensor:
    side = min(own.shape[-1], shown.shape[-1])
    return _differing(*(functional.adaptive_avg_pool2d(each, side) for each in (own, shown)))


def _differing(own: Tensor, shown: Tensor) -> Tensor:
    """Mean square between channels that are centred and scaled over the batch."""
    own, shown = (functional.batch_norm(each, None, None, training=True) for each in (own, shown))
    return functional.mse_loss(own, shown)


def _channels(network: Network) -> tuple[int, ...]:
    copy = deepcopy(network).eval()
    with torch.no_grad():
        return tuple(shown.shape[1] for shown in maps_of(copy, torch.zeros(1, 3, 64, 64)))
