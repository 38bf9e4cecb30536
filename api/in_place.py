"""Who may name files of the server's machine: a process of that machine itself, within the roots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flask import Request

from api.auth import in_place_forbidden, is_of_this_machine
from api.context import Context
from api.sent_bodies import InPlacePhoto
from nightshift.machine.places import path_as_text, path_of_text
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from shared.files.in_place import InPlace


def registrable(service: Context, request: Request, photos: Sequence[InPlacePhoto]) -> list[InPlacePhoto]:
    """The photos with their resolved paths, where every one of them may be registered from here.

    Raises:
        InvalidInput: `in_place_forbidden`, in the same words whether a file is there or not; `bad_path`.
    """
    if not is_of_this_machine(request):
        raise in_place_forbidden()
    allowed = InPlace(service.settings, service.store.folder)
    found = []
    for photo in photos:
        path = allowed.resolved(_path_in(photo.path))
        if path is None:
            raise in_place_forbidden()
        found.append(photo.model_copy(update={"path": path_as_text(path)}))
    return found


def _path_in(text: str) -> Path:
    try:
        path = path_of_text(text)
    except ValueError as error:
        raise InvalidInput(Code.BAD_PATH, str(error)) from error
    if not path.is_absolute():
        raise InvalidInput(Code.BAD_PATH, f"path must be absolute: {text!r}")
    return path
