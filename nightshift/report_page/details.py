"""What the page searches and sorts by: a file of its own, read once the first photos are on the screen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from nightshift.report_page.rows import ALPHABET
from nightshift.words.analysis import Face
from nightshift.words.documents import Photo

NO_TIME = 0
"""Of a photo whose camera said none; 1970 is no camera's."""


@dataclass(slots=True)
class Details:
    """Names, times, cameras and certainties of all photos, in their order.

    Attributes:
        names: `custom_id` of each.
        times: seconds since 1970 by the camera's own clock, whatever its zone; `NO_TIME` where it said none.
        cameras: each camera once, in the order of its first photo.
        camera_of: place of each photo's camera among them; -1 for none.
        certainties: six characters a face, see `certainties_of`.
    """

    names: list[str] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    cameras: dict[str, int] = field(default_factory=dict)
    camera_of: list[int] = field(default_factory=list)
    certainties: list[str] = field(default_factory=list)

    def add(self, photo: Photo) -> None:
        """Add the next photo."""
        self.names.append(photo.custom_id)
        self.times.append(seconds_by_camera(photo.taken_at))
        camera = camera_name(photo.camera_make, photo.camera_model)
        self.camera_of.append(self.cameras.setdefault(camera, len(self.cameras)) if camera else -1)
        self.certainties.append("".join(map(certainties_of, photo.faces)))

    def as_data(self) -> dict[str, Any]:
        """For the page."""
        return {
            "names": self.names,
            "times": self.times if any(self.times) else [],
            "cameras": list(self.cameras),
            "camera_of": self.camera_of if self.cameras else [],
            "certainties": " ".join(self.certainties),
        }


def seconds_by_camera(taken_at: str | None) -> int:
    """Seconds since 1970 of what the camera's clock showed; `NO_TIME` for none, and for what is no time."""
    try:
        shown = datetime.fromisoformat(taken_at or "")
        return int(shown.replace(tzinfo=UTC).timestamp())
    except (ValueError, OverflowError):
        return NO_TIME


def camera_name(make: str | None, model: str | None) -> str:
    """Such as `Canon EOS R6`: many models begin with their maker's name already. Empty for none."""
    make, model = (make or "").strip(), (model or "").strip()
    if model.lower().startswith(make.lower()):
        return model
    return f"{make} {model}".strip()


def certainties_of(face: Face) -> str:
    """The detector's confidence, P(gender) and P(age group) in 1/1000, two characters each."""
    shares = (face.confidence, face.gender.probability, face.age_group.probability)
    thousandths = [round(1000 * min(1.0, max(0.0, share))) for share in shares]
    return "".join(ALPHABET[number >> 6] + ALPHABET[number & 63] for number in thousandths)
