"""The whole pipeline: decoded photos in, faces with labels out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from nightshift.words.analysis import LOW_CONFIDENCE, Analysis, Face, PhotoError, Quality, Stage, TimingsMs
from nightshift.words.options import AnalysisOptions
from shared.bundles.in_use import bundle_in_use
from shared.bundles.manifest import ONNX
from shared.settings import Settings
from worker.pipeline.align import (
    crop,
    crop_transform,
    framing_points,
    has_extent,
    landmarks_in_box,
    roll_deg,
)
from worker.pipeline.bundle import Bundle, load_bundle
from worker.pipeline.choice import choose
from worker.pipeline.classify import Classifier
from worker.pipeline.decoding.decode import DecodedPhoto
from worker.pipeline.decoding.limits import UNTOLD, Decoder
from worker.pipeline.detection.detect import Detection, Detector
from worker.pipeline.device import choose_device
from worker.pipeline.found_face import face_of
from worker.pipeline.isolation import isolated
from worker.pipeline.quality import quality_of
from worker.pipeline.runtime import use_threads
from worker.pipeline.unforeseen import photo_error

log = logging.getLogger(__name__)

Progress = Callable[[Collection[str]], None]
_BLACK = np.zeros((), np.uint8)
Probabilities = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(slots=True)
class _Work:
    """What is known of one photo while its batch runs; of its faces the first so many are `sure` enough."""

    photo: DecodedPhoto
    error: PhotoError | None = None
    faces: list[Face | None] = field(default_factory=list)
    sure: int = 0
    warnings: list[str] = field(default_factory=list)
    detect_ms: float = 0.0
    align_ms: float = 0.0
    classify_ms: float = 0.0

    def fail(self, stage: Stage, error: Exception) -> None:
        """Keep the photo's first error."""
        if self.error is None:
            self.error = photo_error(stage, error, isolated=True)

    def drop_pixels(self) -> None:
        """Let go of the memory; the shape stays."""
        self.photo = replace(self.photo, pixels=np.broadcast_to(_BLACK, self.photo.pixels.shape))


@dataclass(frozen=True, slots=True, eq=False)
class _Aligned:
    """A face on its way to the classifier."""

    work: _Work
    index: int
    detection: Detection
    roll_deg: float
    aligned: bool
    crop: NDArray[np.uint8]
    quality: Quality


class Pipeline:
    """Everything loaded, for one process and one device. Not for use by two threads at once.

    Args:
        bundle: weights on the device to use.
        decode: makes pixels of a photo's bytes, under the limits in force.
        photos_at_once: see `Detector`.
        classifier: of the bundle; by default one in fp32.
        chosen_because: what decided what the networks run on.

    Attributes:
        bundle: as given.
        classifier: likewise.
        chosen_because: likewise.
        decode: likewise.
        detector: on the same runtime.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        decode: Decoder = UNTOLD,
        photos_at_once: int | None = None,
        classifier: Classifier | None = None,
        chosen_because: str = "",
    ) -> None:
        self.bundle = bundle
        self.chosen_because = chosen_because
        self.classifier = classifier or Classifier(bundle)
        self.detector = Detector(bundle.device, photos_at_once, self.classifier.runtime)
        self.decode = decode
        self._framing = framing_points(bundle.manifest.framing)

    def analyse(
        self, photos: Iterable[DecodedPhoto], options: AnalysisOptions, progress: Progress = lambda _: None
    ) -> list[Analysis | PhotoError]:
        """Find and label the faces of a batch of photos.

        Photos are taken as they are needed and their pixels let go of as soon as their faces are cut out;
        faces are classified together across photos.

        Args:
            photos: of any sizes; what the iterator raises passes through.
            options: the job's.
            progress: called between photos and between stages with the ids of the photos that are
                next; what it raises passes through.

        Returns:
            One entry a photo, in order. A photo that raises becomes a PhotoError, `out_of_memory`
            (retryable) or `internal`, and its batch mates go on.
        """
        works: list[_Work] = []
        waiting: list[_Aligned] = []
        for together in _batched(photos, self.detector.photos_at_once):
            arrived = [_Work(photo) for photo in together]
            works += arrived
            for face in self._faces_of(arrived, options, progress):
                waiting.append(face)
                if len(waiting) == self.classifier.faces_at_once:
                    self._classify(waiting, progress)
                    waiting = []
            del together  # or the last photos' pixels stay until the next have come
        if waiting:
            self._classify(waiting, progress)
        progress(())
        return [self._finish(work) for work in works]

    def _faces_of(
        self, works: Sequence[_Work], options: AnalysisOptions, progress: Progress
    ) -> Iterator[_Aligned]:
        """Detect in some photos, then cut out face by face; a crowd's crops never all lie in memory."""
        found = self.detector.detect(
            [work.photo for work in works],
            min(options.min_confidence, LOW_CONFIDENCE),
            options.min_face_px,
            progress,
        )
        for work, detections in zip(works, found, strict=True):
            work.detect_ms = detections.elapsed_ms
            if detections.error is not None:
                work.fail("detect", detections.error)
            sure = [face for face in detections.faces if face.confidence >= options.min_confidence]
            unsure = [face for face in detections.faces if face.confidence < options.min_confidence]
            work.faces, work.sure = [None] * len(detections.faces), len(sure)
            for index, detection in enumerate((*sure, *unsure)):
                started = time.perf_counter()
                try:
                    face = self._aligned(work, index, detection, options)
                except Exception as error:
                    work.fail("align", error)
                    break
                finally:
                    work.align_ms += (time.perf_counter() - started) * 1000
                yield face
            work.drop_pixels()

    def _aligned(self, work: _Work, index: int, detection: Detection, options: AnalysisOptions) -> _Aligned:
        side_px = self.bundle.manifest.input.size
        landmarks = detection.landmarks.astype(np.float64)
        if not has_extent(landmarks):
            work.warnings.append(f"face {index}: landmarks of no use, framed by its box")
            landmarks = landmarks_in_box(detection.box, self._framing)
            detection = replace(detection, landmarks=landmarks.astype(np.float32))
        matrix, aligned = crop_transform(landmarks, self._framing, side_px, options.tilt_threshold_deg)
        image = crop(work.photo.pixels, matrix, side_px)
        height, width = work.photo.pixels.shape[:2]
        quality = quality_of(image, matrix, (width, height), landmarks)
        return _Aligned(work, index, detection, roll_deg(detection.landmarks), aligned, image, quality)

    def _classify(self, faces: Sequence[_Aligned], progress: Progress) -> None:
        faces = [face for face in faces if face.work.error is None]
        progress({face.work.photo.id for face in faces})
        started = time.perf_counter()
        answers = isolated(self._probabilities, [face.crop for face in faces])
        share_ms = (time.perf_counter() - started) * 1000 / max(1, len(faces))
        for face, answer in zip(faces, answers, strict=True):
            face.work.classify_ms += share_ms
            if isinstance(answer, Exception):
                face.work.fail("classify", answer)
                continue
            face.work.faces[face.index] = face_of(
                face.detection,
                face.work.photo,
                self.bundle.manifest.heads,
                self.bundle.manifest.limits,
                index=face.index,
                roll=face.roll_deg,
                aligned=face.aligned,
                gender=answer[0],
                age=answer[1],
                quality=face.quality,
            )

    def _probabilities(self, crops: Sequence[NDArray[np.uint8]]) -> list[Probabilities]:
        gender, age = self.classifier(crops)
        return list(zip(gender, age, strict=True))

    def _finish(self, work: _Work) -> Analysis | PhotoError:
        if work.error is not None:
            return work.error
        photo = work.photo
        faces = tuple(face for face in work.faces if face is not None)
        return Analysis(
            width=photo.width,
            height=photo.height,
            exif_orientation=photo.exif_orientation,
            scale=photo.scale,
            faces=faces[: work.sure],
            timings_ms=TimingsMs(photo.decode_ms, work.detect_ms, work.align_ms, work.classify_ms),
            precision=self.classifier.precision,
            warnings=(*photo.warnings, *work.warnings),
            taken_at=photo.capture.taken_at,
            camera_make=photo.capture.camera_make,
            camera_model=photo.capture.camera_model,
            low_confidence_faces=faces[work.sure :],
        )


def _batched(photos: Iterable[DecodedPhoto], most: int) -> Iterator[list[DecodedPhoto]]:
    source = iter(photos)
    while batch := list(islice(source, most)):
        yield batch


def build_pipeline(settings: Settings) -> Pipeline:
    """Load everything a worker process needs; call it after the fork, never in a parent.

    Sets how many threads the process's networks have.

    Raises:
        ModelUnavailable: the bundle, the detector's weights or the device cannot be used as configured.
    """
    use_threads(settings.network_threads)
    folder, manifest = bundle_in_use(settings)
    on_cpu = manifest.architecture == ONNX and settings.device == "auto"
    bundle = load_bundle(folder, choose_device("cpu" if on_cpu else settings.device))
    classifier, choice = choose(bundle, settings.runtime, settings.precision, settings.home)
    # The runtime has its own copy by now.
    bundle.weights.let_go()
    log.info(
        "chosen",
        extra={"runtime": choice.runtime, "precision": choice.precision, "because": choice.because},
    )
    return Pipeline(
        bundle,
        classifier=classifier,
        chosen_because=choice.because,
        decode=Decoder.under(settings),
    )
