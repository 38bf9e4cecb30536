"""The sample photos for tests. They are made in `bench.samples`, since `make demo` uses them, too."""

from bench.samples import (
    FACE_BOX,
    astronaut,
    astronaut_jpeg,
    jpeg,
    no_face,
    no_face_jpeg,
    several,
    several_jpeg,
)

__all__ = [
    "FACE_BOX",
    "astronaut",
    "astronaut_jpeg",
    "jpeg",
    "no_face",
    "no_face_jpeg",
    "several",
    "several_jpeg",
]
