"""Command: have numba compile the loops of the pipeline and keep them, so that no photo waits for it.

    python -m worker.compile_loops

`make` and the images run it when they install. Workers find what it keeps beside the sources, or in
NUMBA_CACHE_DIR; it fits processors like this one, and is made again on others.
"""

from __future__ import annotations

import sys

from nightshift.words.errors import NightshiftError
from nightshift.words.options import AnalysisOptions
from worker.pipeline.decoding.limits import UNTOLD
from worker.pipeline.detection.area import SummedPhotos
from worker.pipeline.detection.cascade import find_faces
from worker.pipeline.detection.detect import Detector
from worker.pipeline.detection.mtcnn import load_networks
from worker.pipeline.detection.screen import can_screen, load_screens
from worker.pipeline.runtime import CPU, runtimes, use_threads
from worker.pipeline.warm_up import drawn_photo


def compile_loops() -> None:
    """Take one photo through decoding and detection, by which every loop is called as photos call it.

    Detection is done with screens and without, whichever is faster here now: another time the other may be.

    Raises:
        ModelUnavailable: there is nothing that networks run on, or the detector's weights cannot be read.
    """
    use_threads(1)
    options = AnalysisOptions()
    photo = UNTOLD(drawn_photo(), options, lambda _: None)
    # What it times at its start has loops, too.
    Detector(CPU)
    networks = load_networks(runtimes(CPU)[0])
    for screens in [None, load_screens()] if can_screen() else [None]:
        find_faces(SummedPhotos([photo.pixels]), options.min_face_px, networks, screens)


def main() -> int:
    """0 when they are compiled; 6 when nothing runs here, with the reason."""
    try:
        compile_loops()
    except NightshiftError as error:
        print(f"{error.message} ({error.code})", file=sys.stderr)  # noqa: T201
        return 6
    return 0


if __name__ == "__main__":
    sys.exit(main())
