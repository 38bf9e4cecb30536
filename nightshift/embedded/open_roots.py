"""Which folders a run's API may read files of in place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nightshift.machine.home import roots_of
from nightshift.photos import Found, in_place_roots, real_path
from nightshift.screen import say
from nightshift.words.plain_text import counted
from shared.files.in_place import InPlace
from shared.files.store import Store
from shared.settings import Settings


def open_roots(settings: Settings, found: Found, paths: Sequence[Path]) -> Settings:
    """Settings that let what was found be registered; files of a home's own are left out, which is said."""
    own = InPlace(settings, Store(settings.store_url).folder)
    folders: dict[Path, str] = {}
    photos, real = [], []
    for photo in found.photos:
        path = real_path(photo.path, folders)
        if not own.is_private(path):
            photos.append(photo)
            real.append(path)
    if len(photos) < len(found.photos):
        say(f"{counted(len(found.photos) - len(photos), 'file')} of a Nightshift home left alone")
    found.photos = photos
    return settings.model_copy(update={"in_place_roots": roots_of(in_place_roots(paths, real))})
