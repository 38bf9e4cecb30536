"""Files that are read where they lie: which may be registered, and how they are opened."""

from __future__ import annotations

import os
from pathlib import Path

from nightshift.machine.home import is_home
from shared.settings import Settings
from shared.urls import path_of_sqlite_url

_DATABASE_FILES = ("", "-wal", "-shm", "-journal")

_FOLDER_FLAGS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class InPlace:
    """What of this machine's files may be read in place.

    Args:
        settings: with the roots, the home and the database.
        store_folder: where the store is, None for a bucket.
    """

    def __init__(self, settings: Settings, store_folder: Path | None) -> None:
        self._roots = [Path(os.path.normpath(root)) for root in settings.in_place_folders]
        self._private = [settings.home]
        if store_folder is not None:
            self._private.append(store_folder)
        if database := path_of_sqlite_url(settings.database_url):
            self._private += [database.with_name(database.name + suffix) for suffix in _DATABASE_FILES]
        self._private = [Path(os.path.realpath(place)) for place in self._private]
        self._homes: dict[Path, bool] = {}

    def resolved(self, path: Path) -> Path | None:
        """Where a file really is, so that no link is followed to it later; None when it may not be named.

        What lies outside the roots by its name is not looked at: nobody learns whether it is there.
        """
        if not _is_within(Path(os.path.normpath(path)), self._roots):
            return None
        real = Path(os.path.realpath(path))
        roots = [*self._roots, *(Path(os.path.realpath(root)) for root in self._roots)]
        return real if _is_within(real, roots) and not self.is_private(real) else None

    def is_private(self, real: Path) -> bool:
        """Whether a resolved path is of the service's own, or of another home."""
        return _is_within(real, self._private) or any(map(self._is_home, real.parents))

    def _is_home(self, folder: Path) -> bool:
        if folder not in self._homes:
            self._homes[folder] = is_home(folder)
        return self._homes[folder]


def open_unlinked(path: Path) -> int:
    """A descriptor of a file, reached through folders alone: a link on the way, or at its end, is an error.

    Raises:
        OSError: it is not there, or may not be read; ELOOP or ENOTDIR for a link.
    """
    folder = os.open(path.anchor, _FOLDER_FLAGS)
    try:
        for name in path.parts[1:-1]:
            inner = os.open(name, _FOLDER_FLAGS, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(path.name, _FILE_FLAGS, dir_fd=folder)
    finally:
        os.close(folder)


def _is_within(path: Path, folders: list[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
