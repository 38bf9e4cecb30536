"""The crop must show a face as the classifier was trained to see it.

Known faces are put into photos at many sizes and tilts; what the pipeline says of them is compared with
what the network says of the same faces fed to it directly. Three mistakes that were made before, in this
trade, must each miss the same bounds: channels in the wrong order, no normalisation, the detector's box
as the crop.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nightshift.words.analysis import Box, Face
from nightshift.words.options import AnalysisOptions
from tests.support import needs_torch as _needs_torch  # noqa: F401
from tests.support import samples
from tests.support.chips_made import CHIP_BOX
from tests.support.reference_data import needs_chips, validation_chips
from tests.support.variants import MISTAKES, Agreement, agreement, run
from training.pasting import paste_in_rows
from worker.pipeline.analyse import Pipeline
from worker.pipeline.decoding.decode import DecodedPhoto
from worker.pipeline.detection.detect import PhotoDetections
from worker.pipeline.framing import UTKFACE_BOX

CHIPS = 300
MIN_FACE_PX = 40
"""No chip is smaller than 150 px; looking for faces of 20 px would take most of the time."""

THIRD = slice(None, None, 3)
CHIP_BOX_MIDDLE = ((UTKFACE_BOX[0] + UTKFACE_BOX[2]) / 2, (UTKFACE_BOX[1] + UTKFACE_BOX[3]) / 2)

Pixels = NDArray[np.uint8]


def middle(box: Box) -> tuple[float, float]:
    return (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2


class Pasted:
    """UTKFace's validation chips in photos, and what MTCNN finds there."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.chips = validation_chips(CHIPS, seed=7)
        random = np.random.default_rng(7)
        sides = random.uniform(150, 500, CHIPS).tolist()
        tilts = random.choice([-20.0, 0.0, 20.0], CHIPS).tolist()
        made = paste_in_rows([chip for _, chip in self.chips], sides, tilts, 2000)
        self.placed = [placed for _, placed in made]
        self.photos = [DecodedPhoto(p, p.shape[1], p.shape[0], 1, 1.0) for p, _ in made]
        options = AnalysisOptions()
        self.detections: list[PhotoDetections] = pipeline.detector.detect(
            self.photos, options.min_confidence, MIN_FACE_PX
        )

        side = pipeline.bundle.manifest.input.size
        self.direct = pipeline.classifier([resized(chip, side) for _, chip in self.chips])

    def matched(self, mistake: str, photos: slice) -> tuple[list[int], list[Face]]:
        """Chips whose face was found where it was put, and those faces."""
        chips, faces = [], []
        answers = run(self.pipeline, self.photos[photos], self.detections[photos], mistake)
        for placed, found in zip(self.placed[photos], answers, strict=True):
            for where in placed:
                expected = np.array(where.place(*CHIP_BOX_MIDDLE))
                near = [
                    face for face in found if np.hypot(*(middle(face.box) - expected)) < where.side_px / 4
                ]
                if len(near) == 1:
                    chips.append(where.chip)
                    faces.append(near[0])
        return chips, faces

    def measure(self, mistake: str = "", photos: slice = slice(None)) -> tuple[Agreement, float, float]:
        """Agreement, and the share of right genders through the pipeline and directly."""
        chips, faces = self.matched(mistake, photos)
        direct = self.direct[0][chips], self.direct[1][chips]
        measured, female, direct_female = agreement(self.pipeline, faces, direct)
        truth = np.array([self.chips[chip][0] for chip in chips])
        return measured, float((female == truth).mean()), float((direct_female == truth).mean())


def resized(chip: Pixels, side: int) -> Pixels:
    return np.asarray(Image.fromarray(chip).resize((side, side), Image.Resampling.BILINEAR))


@pytest.fixture(scope="module")
def pasted(pipeline: Pipeline) -> Pasted:
    return Pasted(pipeline)


def framed_as_trained(measured: Agreement, through: float, direct: float) -> bool:
    """The criterion. Measured when written: 0.019 and 0.046; the mistakes 0.078 and 0.169 or more.

    With the framing of bare chips (ADR 14) it was 0.039 and 0.093, by weights that knew no other crops.
    """
    return through >= direct - 0.01 and measured.female <= 0.03 and measured.age_groups <= 0.08


@needs_chips
def test_chips_in_photos_are_found_and_classified_as_the_chips_themselves(pasted: Pasted) -> None:
    measured, through, direct = pasted.measure()
    assert measured.faces >= 0.95 * CHIPS
    assert through >= direct - 0.01
    assert framed_as_trained(measured, through, direct), (measured, through, direct)


@needs_chips
def test_a_third_of_the_photos_is_enough_to_pass(pasted: Pasted) -> None:
    """So that the mistakes below are caught by what they are and not by being tried on fewer faces."""
    assert framed_as_trained(*pasted.measure("", THIRD))


@needs_chips
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_misses_the_bounds_on_chips(pasted: Pasted, mistake: str) -> None:
    measured, through, direct = pasted.measure(mistake, THIRD)
    assert measured.faces >= CHIPS / 4, "a mistake in the crop does not change what is found"
    assert not framed_as_trained(measured, through, direct), (measured, through, direct)


class Portraits:
    """The packaged portrait at several sizes and tilts, mirrored and not."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        side = pipeline.bundle.manifest.input.size
        self.photos: list[DecodedPhoto] = []
        direct: list[Pixels] = []
        options = AnalysisOptions()
        for mirrored in (False, True):
            left, top, right, bottom = CHIP_BOX
            box = (512 - right, top, 512 - left, bottom) if mirrored else CHIP_BOX
            plain = samples.astronaut(mirrored=mirrored).resize(
                (side, side), Image.Resampling.BILINEAR, box=box
            )
            for side_px in (400, 512, 900, 1400):
                for turn in (-20.0, 0.0, 20.0):
                    data = samples.astronaut_jpeg(side_px, mirrored=mirrored, turn_deg=turn)
                    self.photos.append(pipeline.decode(data, options))
                    direct.append(np.asarray(plain))
        self.direct = pipeline.classifier(direct)
        self.detections = pipeline.detector.detect(self.photos, options.min_confidence, options.min_face_px)

    def measure(self, mistake: str = "") -> Agreement:
        found = run(self.pipeline, self.photos, self.detections, mistake)
        assert [len(faces) for faces in found] == [1] * len(self.photos)
        return agreement(self.pipeline, [faces[0] for faces in found], self.direct)[0]


@pytest.fixture(scope="module")
def portraits(pipeline: Pipeline) -> Portraits:
    return Portraits(pipeline)


def portraits_framed_as_trained(measured: Agreement) -> bool:
    """The criterion. Measured when written: 0.007 and 0.108; each mistake is over one of the two."""
    return measured.female <= 0.013 and measured.age_groups <= 0.125


def test_the_portrait_is_classified_as_its_own_chip_at_every_size_and_tilt(portraits: Portraits) -> None:
    measured = portraits.measure()
    assert portraits_framed_as_trained(measured), measured


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_misses_the_bounds_on_the_portrait(portraits: Portraits, mistake: str) -> None:
    measured = portraits.measure(mistake)
    assert not portraits_framed_as_trained(measured), measured
