import numpy as np
import pytest

from tests.support import samples
from tests.support.chips_made import CHIP_BOX
from tests.support.needs_torch import torch
from training.augment import as_tensor, augmentation, compressed, plain


@pytest.fixture(scope="module")
def chip() -> torch.Tensor:
    return as_tensor(np.asarray(samples.astronaut().resize((200, 200), box=CHIP_BOX)))


def test_the_same_seed_gives_the_same_picture_and_another_one_another(chip: torch.Tensor) -> None:
    augment = augmentation(64)
    seen = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        seen.append(augment(chip))
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])


def test_pictures_have_the_input_size_and_stay_like_the_chip(chip: torch.Tensor) -> None:
    torch.manual_seed(0)
    augment, upright = augmentation(48), plain(48)(chip)
    pictures = torch.stack([augment(chip) for _ in range(60)])
    assert pictures.shape == (60, 3, 48, 48)
    assert pictures.dtype == torch.float32 and torch.isfinite(pictures).all()
    # On the average a blurred form of the face, or of it mirrored.
    both = (upright + upright.flip(2)) / 2
    likeness = torch.corrcoef(torch.stack([pictures.mean(dim=0).flatten(), both.flatten()]))[0, 1]
    assert likeness > 0.8


def test_compression_changes_little(chip: torch.Tensor) -> None:
    torch.manual_seed(0)
    difference = (compressed(chip).float() - chip.float()).abs().mean()
    assert 0 < difference < 12
