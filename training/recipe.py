"""What a training run is: everything that decides its outcome, kept beside its checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nightshift.words.errors import InvalidInput
from shared.bundles.manifest import Architecture
from training.error_codes import TrainingCode

SMALLEST_PX, LARGEST_PX = 32, 1024
RECIPE = "recipe.json"
BEFORE = "before.json"
"""What the manifest of the bundle that a run starts from says of its training."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Epochs at one input size."""

    side_px: int
    epochs: int


class Recipe(BaseModel):
    """Settings of a run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: Architecture = Field("efficientnet_v2_s", description="of the network")
    stages: str = Field(description="sizes and epochs, as 64:4,96:4,128:3")
    steps: int | None = Field(None, ge=1, description="end after so many steps, though stages be left")
    batch_size: int = Field(64, ge=2, le=4096, description="chips in one step")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="highest, after the warm-up")
    head_rate: float = Field(1.0, gt=0, le=100, description="factor of the heads' learning rate")
    weight_decay: float = Field(0.02, ge=0, le=1, description="AdamW's, of matrices and kernels")
    ema_decay: float = Field(0.995, ge=0, lt=1, description="of the averaged weights, a step")
    teacher_weight: float = Field(0.5, ge=0, le=100, description="factor of the teachers' terms")
    mixed: float = Field(0.5, ge=0, le=1, description="share of mixtures of faces, with a teacher")
    augmentation: float = Field(1.0, ge=0, le=1, description="strength, 0 to 1; tilts are always whole")
    seed: int = Field(0, ge=0, lt=2**31, description="order, augmentation and first weights")
    train_chips: int | None = Field(None, ge=2, description="only so many chips, drawn by the seed")
    start: str | None = Field(None, description="sha256 of the bundle it starts from")
    teacher: str | None = Field(None, description="sha256 of the bundle that teaches")
    teachers: bool = Field(False, description="whether teachers give extra targets")

    @property
    def plan(self) -> tuple[Stage, ...]:
        """The stages in order."""
        return parse_stages(self.stages)

    @property
    def epochs(self) -> int:
        """Of all stages together."""
        return sum(stage.epochs for stage in self.plan)

    def sides(self) -> Iterator[int]:
        """The input size of every epoch."""
        for stage in self.plan:
            yield from [stage.side_px] * stage.epochs


def make_recipe(**values: object) -> Recipe:
    """A checked recipe.

    Raises:
        InvalidInput: `bad_recipe`, naming each value and what is wrong with it.
    """
    try:
        recipe = Recipe.model_validate(values)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InvalidInput(TrainingCode.BAD_RECIPE, wrong) from error
    parse_stages(recipe.stages)
    return recipe


def read_recipe(folder: Path) -> Recipe:
    """The recipe of a run's folder.

    Raises:
        InvalidInput: `no_run` without one, `bad_recipe` when it is none.
    """
    path = folder / RECIPE
    try:
        return Recipe.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InvalidInput(
            TrainingCode.NO_RUN, f"no training run in {folder}: {RECIPE} is not there"
        ) from error
    except (OSError, ValueError) as error:
        raise InvalidInput(TrainingCode.BAD_RECIPE, f"{path}: {error}") from error


def parse_stages(text: str) -> tuple[Stage, ...]:
    """`64:4,96:4` to stages.

    Raises:
        InvalidInput: `bad_stages`.
    """
    stages = []
    for part in text.split(","):
        side, _, epochs = part.strip().partition(":")
        if not (side.isdecimal() and epochs.isdecimal()):
            raise InvalidInput(TrainingCode.BAD_STAGES, f"{part!r} is not SIZE:EPOCHS, as in 64:4,96:4")
        stage = Stage(int(side), int(epochs))
        if not SMALLEST_PX <= stage.side_px <= LARGEST_PX or not 1 <= stage.epochs <= 10_000:
            raise InvalidInput(
                TrainingCode.BAD_STAGES,
                f"{part!r}: sizes are {SMALLEST_PX} to {LARGEST_PX} px, epochs 1 to 10000",
            )
        stages.append(stage)
    return tuple(stages)
