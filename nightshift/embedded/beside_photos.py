"""What a run found beside its photos, kept with its note: whoever goes on with it says the same of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from nightshift.machine.places import path_as_text, path_of_text
from nightshift.photos import Found


@dataclass(frozen=True, slots=True)
class BesidePhotos:
    """All that `nightshift.photos.Found` has but the photos.

    Attributes:
        pairs: names of photos, each with that of a raw file that was left alone for it.
        unnameable: photos whose name no job can hold.
        unreadable: folders that could not be looked into, with the reason.
        left_alone: files that are no photos, counted by what they are.
    """

    pairs: Sequence[tuple[str, str]] = ()
    unnameable: Sequence[Path] = ()
    unreadable: Sequence[str] = ()
    left_alone: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Found) -> Self:
        """Of what was just found."""
        return cls(tuple(found.pairs()), tuple(found.unnameable), tuple(found.unreadable), found.left_alone)

    def as_json(self) -> dict[str, Any]:
        """To be written down."""
        return {
            "pairs": self.pairs,
            "unnameable": [path_as_text(path) for path in self.unnameable],
            "unreadable": self.unreadable,
            "left_alone": self.left_alone,
        }

    @classmethod
    def of_json(cls, said: Mapping[str, Any]) -> Self:
        """As it was written down.

        Raises:
            KeyError, TypeError, ValueError: it was not.
        """
        return cls(
            tuple((photo, raw) for photo, raw in said["pairs"]),
            tuple(map(path_of_text, said["unnameable"])),
            tuple(said["unreadable"]),
            dict(said["left_alone"]),
        )
