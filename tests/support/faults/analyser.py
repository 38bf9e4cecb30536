"""Celery's entry with an analyser that needs no weights: `celery -A tests.support.faults.analyser worker`.

Everything but the networks is the worker's own. What a photo does is written in its bytes: `photo` and
anything else has as many faces as its digest says; `die` ends the process, `hang` never returns, `fat`
is too much memory in a batch of more than two. The file that FAULTS_DIE_AT names holds moments of
`tests.support.faults.moments`: a line for each worker that is to be killed.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace

import shared.queue.finish
import worker.parts
from nightshift.words.analysis import Analysis
from nightshift.words.error_codes import Code
from nightshift.words.errors import Unreadable
from nightshift.words.options import AnalysisOptions
from shared.queue.claim import claim
from shared.queue.queue import Queue, ruled
from shared.queue.save import save
from shared.settings import Settings
from tests.support.fakes import FakePipeline, Progress, blank_photo
from tests.support.faults.moments import die_at, dying
from tests.support.queue_rows import analysis, face
from worker.main import app as app
from worker.pipeline.decoding.decode import DecodedPhoto

PHOTO_S = 0.01


class Analyser(FakePipeline):
    """Stands where the pipeline stands."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = SimpleNamespace(runtime="none", precision="none")
        self.chosen_because = ""

    def decode(
        self, data: bytes, options: AnalysisOptions, admit: Callable[[int], None] = lambda _: None
    ) -> DecodedPhoto:
        """Pixels that say what the photo will do."""
        if data.startswith(b"die"):
            os._exit(1)
        while data.startswith(b"hang"):
            time.sleep(1)
        if not data.startswith((b"photo", b"fat")):
            raise Unreadable(Code.CORRUPT_IMAGE, "not a photo")
        admit(8 * 8)
        return blank_photo(faces_in(data), data.startswith(b"fat"))

    def found(self, photos: Sequence[DecodedPhoto], progress: Progress) -> Iterator[Analysis]:
        """As many faces as the bytes say."""
        if len(photos) > 2 and any(photo.pixels[0, 0, 1] for photo in photos):
            raise MemoryError
        die_at("batch begun")
        for index, photo in enumerate(photos):
            if index == len(photos) // 2:
                die_at("in mid-batch")
            progress([photo.id])
            time.sleep(PHOTO_S)
            yield analysis(*(face(n) for n in range(int(photo.pixels[0, 0, 0]))))


def faces_in(data: bytes) -> int:
    """Faces the analyser finds in these bytes."""
    return hashlib.sha256(data).digest()[0] % 3


def build(_settings: Settings) -> Analyser:
    """In the place of `load_pipeline`."""
    return Analyser()


worker.parts.load_pipeline = build  # type: ignore[assignment]
# Within their transactions.
Queue.claim = ruled(dying(claim, after="claiming"))
Queue.save = ruled(dying(save, after="saving"))
shared.queue.finish.may_be_done = dying(shared.queue.finish.may_be_done, before="saved")
