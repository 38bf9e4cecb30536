"""The training's targets and what it minimises."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from nightshift.words.analysis import AGE_GROUPS
from training.lessons import Projections, maps_of
from training.teachers import DESCRIPTOR, TEACHER_AGES
from training.trainable import YEARS
from worker.pipeline.network import Network

_GENDER_SMOOTHING = 0.05
_TINY = 1e-6


class Student(nn.Module):
    """The network with what only its training needs: dropout, and a head for the teachers' descriptor.

    Args:
        network: with YEARS age outputs.
        dropout: share of the features dropped before the heads.
        projections: of its maps to a teacher's, None without one.
    """

    def __init__(
        self, network: Network, dropout: float = 0.2, projections: Projections | None = None
    ) -> None:
        super().__init__()
        self.network = network
        self.descriptor = nn.Linear(network.gender.in_features, DESCRIPTOR)
        self.projections = projections
        self._dropout = dropout

    def forward(self, images: Tensor) -> Outputs:
        """Logits, descriptor and, in training under a teacher, maps for float [N, 3, S, S], normalised."""
        maps = maps_of(self.network, images)
        features = maps[-1].mean(dim=(2, 3))
        dropped = functional.dropout(features, self._dropout, self.training)
        return Outputs(
            self.network.gender(dropped).float(),
            self.network.age(dropped).float(),
            self.descriptor(features).float(),
            self.projections(maps) if self.training and self.projections else (),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """Gender logits [N, 2], age logits [N, YEARS], descriptor [N, 128] and projected maps, float32."""

    gender: Tensor
    age: Tensor
    descriptor: Tensor
    maps: tuple[Tensor, ...] = ()

    def first(self, count: int) -> Outputs:
        """Of the first so many pictures, without their maps."""
        return Outputs(self.gender[:count], self.age[:count], self.descriptor[:count])


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """What is right for a batch.

    Attributes:
        gender: int64 [N], index into GENDERS.
        age: float32 [N], years, at most 100.
        teachers: the rows of `Teachers` as tensors (descriptor, age, gender), None without.
    """

    gender: Tensor
    age: Tensor
    teachers: tuple[Tensor, Tensor, Tensor] | None

    def first(self, count: int) -> Targets:
        """Of the first so many pictures."""
        rows = self.teachers and tuple(values[:count] for values in self.teachers)
        return Targets(self.gender[:count], self.age[:count], rows)  # type: ignore[arg-type]


def soft_years(age: Tensor) -> Tensor:
    """Distributions over the bins around each age, float32 [N, YEARS], rows summing to 1.

    A normal curve cut off at the ends: a child's year is known and seen more sharply than an old
    person's, so the deviation grows from 0.8 years at birth to 4.3 at 70 (label distribution
    learning, Gao et al. 2017, with a deviation that follows the age).
    """
    years = torch.arange(YEARS, dtype=torch.float32)
    deviation = (0.8 + 0.05 * age).unsqueeze(1)
    weights = torch.exp(-0.5 * ((years - age.unsqueeze(1)) / deviation) ** 2)
    return weights / weights.sum(dim=1, keepdim=True)


def group_of(age: Tensor) -> Tensor:
    """Index of the age group, int64 [N]."""
    starts = torch.tensor([low for _, low, _ in AGE_GROUPS[1:]], dtype=torch.float32)
    return torch.bucketize(age, starts, right=True)


def group_log_probabilities(age_logits: Tensor) -> Tensor:
    """Logarithms of the groups' probabilities, the sums over their years, [N, 8]."""
    log_years = age_logits.log_softmax(dim=1)
    return torch.stack(
        [
            log_years[:, low : None if high is None else high + 1].logsumexp(dim=1)
            for _, low, high in AGE_GROUPS
        ],
        dim=1,
    )


def losses(outputs: Outputs, targets: Targets, teacher_weight: float) -> dict[str, Tensor]:
    """The terms of the loss, each weighted, by name; their sum is minimised.

    Args:
        outputs: of the student.
        targets: labels, and teachers where there are some.
        teacher_weight: factor of the three teacher terms.
    """
    log_years = outputs.age.log_softmax(dim=1)
    expected = log_years.exp() @ torch.arange(YEARS, dtype=torch.float32)
    terms = {
        "gender": functional.cross_entropy(outputs.gender, targets.gender, label_smoothing=_GENDER_SMOOTHING),
        "years": functional.kl_div(log_years, soft_years(targets.age), reduction="batchmean"),
        "group": 0.3 * functional.nll_loss(group_log_probabilities(outputs.age), group_of(targets.age)),
        "error": 0.02 * functional.smooth_l1_loss(expected, targets.age, beta=2.0),
    }
    if targets.teachers is not None and teacher_weight:
        descriptor, age, gender = targets.teachers
        # The teacher's last bin stands for all years from 80 on.
        last = TEACHER_AGES - 1
        known = torch.cat([log_years[:, :last], log_years[:, last:].logsumexp(dim=1, keepdim=True)], dim=1)
        away = 1 - functional.cosine_similarity(outputs.descriptor, descriptor)
        terms["teacher_descriptor"] = teacher_weight * 2 * away.mean()
        terms["teacher_gender"] = teacher_weight * functional.kl_div(
            outputs.gender.log_softmax(dim=1), gender + _TINY, reduction="batchmean"
        )
        terms["teacher_age"] = (
            teacher_weight * 0.2 * functional.kl_div(known, age + _TINY, reduction="batchmean")
        )
    return terms
