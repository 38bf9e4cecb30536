"""What a form brings: fields, and photos or an archive, written to the store while they pass."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from api.body import PhotoBody, expected_sha256
from api.context import Context
from api.json_bodies import parse
from api.multipart import FormField, FormFile
from nightshift.words.analysis import PhotoError
from nightshift.words.archive_kinds import ArchiveKind, kind_of_archive_file, perhaps_kind_of_archive
from nightshift.words.body import wrong_field
from nightshift.words.error_codes import Code
from nightshift.words.errors import AnyCode, InvalidInput
from nightshift.words.ids import new_id
from nightshift.words.new_job import NewJob
from nightshift.words.photo_names import beginning_of
from nightshift.words.plain_text import counted
from shared.archives.member import Limits
from shared.archives.opening import open_archive
from shared.files.store import archive_key, photo_key
from shared.queue import intake

MOST_LOOKED_AT = 200
"""Members of a zip that a request looks at for a photo; what is in one of many others, a worker finds."""

PHOTOS = "photos"
ARCHIVE = "archive"

_OF_ONE_PHOTO: dict[AnyCode, Code] = {
    Code.FILE_TOO_LARGE: Code.FILE_TOO_LARGE,
    Code.DIGEST_MISMATCH: Code.DIGEST_MISMATCH,
    Code.BAD_DIGEST: Code.DIGEST_MISMATCH,
    Code.EMPTY_UPLOAD: Code.UNSUPPORTED_FORMAT,
}
"""What is wrong with one photo fails that photo and no other."""


@dataclass(frozen=True, slots=True)
class ArrivedArchive:
    """An archive in the store."""

    name: str
    kind: ArchiveKind
    sha256: str
    size_bytes: int


@dataclass(slots=True)
class Arrival:
    """A form, read to its end.

    Args:
        service: its parts.
        job_id: under which bytes are stored; None to read the form and keep nothing.
    """

    service: Context
    job_id: str | None
    photos: list[intake.NewPhoto] = field(default_factory=list)
    archive: ArrivedArchive | None = None
    wanted: NewJob = field(default_factory=NewJob)
    _fields: dict[str, Any] = field(default_factory=dict)
    _contents: Any = field(default_factory=hashlib.sha256)

    def read(self, parts: Iterable[FormField | FormFile]) -> None:
        """Take everything in.

        Raises:
            InvalidInput: `invalid_fields`, `priority_forbidden`, `unknown_field`, `bad_custom_id`,
                `mixed_upload`, `too_many_photos`, `empty_upload`, `unsupported_archive`,
                `unreadable_archive`, `archive_limit`, or what reading raises.
        """
        for part in parts:
            if isinstance(part, FormField):
                self._take_field(part)
            elif part.name == PHOTOS:
                self._take_photo(part)
            elif part.name == ARCHIVE:
                self._take_archive(part)
            else:
                raise InvalidInput(
                    Code.UNKNOWN_FIELD, f"files come as {PHOTOS!r} or {ARCHIVE!r}, not {part.name!r}"
                )
        if not self.photos and self.archive is None:
            raise InvalidInput(Code.EMPTY_UPLOAD, "the form brings no photos and no archive")
        if self.archive is not None and self.job_id is not None:
            self._check_archive(self.archive, self.job_id)

    @property
    def fingerprint(self) -> str:
        """Equal for the same files under the same names, in the same order, with the same wishes."""
        return fingerprint_of(self.wanted, self._contents.hexdigest())

    def _take_field(self, part: FormField) -> None:
        if part.name in self._fields:
            raise wrong_field(part.name, "is there twice")
        self._fields[part.name] = part.value
        # At once: a misspelt option is better told before the photos are sent than after.
        self.wanted = NewJob.of_form(self._fields, parse)
        self.service.check_priority(self.wanted.priority)

    def _take_photo(self, part: FormFile) -> None:
        if self.archive is not None:
            raise _mixed()
        if not part.filename:
            # A browser sends a part without name and bytes where no file was chosen.
            if part.read():
                raise InvalidInput(
                    Code.BAD_CUSTOM_ID, f"photo {len(self.photos) + 1} of the form has no filename"
                )
            return
        most = self.service.settings.max_upload_photos
        if len(self.photos) >= most:
            message = f"a request may bring {counted(most, 'photo')} (NIGHTSHIFT_MAX_UPLOAD_PHOTOS)"
            raise InvalidInput(Code.TOO_MANY_PHOTOS, message)
        intake.check_custom_id(part.filename)
        photo = self._photo(part)
        self.photos.append(photo)
        self._contents.update(json.dumps([photo.custom_id, photo.sha256]).encode())

    def _photo(self, part: FormFile) -> intake.NewPhoto:
        photo_id = new_id("pho")
        try:
            expected = expected_sha256(part.headers.get("Content-Digest"))
            body = PhotoBody(part.read, limit=self.service.settings.max_photo_bytes, sha256=expected)
            self._keep(body, lambda job_id: photo_key(self.service.owner, job_id, photo_id))
        except InvalidInput as error:
            if error.code not in _OF_ONE_PHOTO:
                raise
            # Its bytes are not kept: only sent again it may succeed.
            failure = PhotoError.of(_OF_ONE_PHOTO[error.code], "read", error.message, retryable=False)
            return intake.NewPhoto(part.filename, photo_id, error=failure)
        return intake.NewPhoto(part.filename, photo_id, sha256=body.sha256, size_bytes=body.size_bytes)

    def _take_archive(self, part: FormFile) -> None:
        if self.photos or self.archive is not None:
            raise _mixed()
        beginning = _beginning(part)
        kind = perhaps_kind_of_archive(beginning)
        rest = iter([beginning])
        body = PhotoBody(
            lambda: next(rest, b"") or part.read(),
            limit=self.service.settings.max_upload_bytes,
            sha256=expected_sha256(part.headers.get("Content-Digest")),
        )
        self._keep(body, lambda job_id: archive_key(self.service.owner, job_id))
        name = beginning_of(part.filename) or ARCHIVE
        intake.check_custom_id(name)
        self.archive = ArrivedArchive(name, kind or "zip", body.sha256, body.size_bytes)
        self._contents.update(json.dumps([ARCHIVE, body.sha256]).encode())

    def _keep(self, body: PhotoBody, key: Callable[[str], str]) -> None:
        if self.job_id is not None:
            self.service.store.put(key(self.job_id), body)
            return
        for _ in body:
            pass

    def _check_archive(self, archive: ArrivedArchive, job_id: str) -> None:
        """What is wrong with an archive as a whole is told now, not by a job."""
        limits = Limits.of(self.service.settings)
        with self.service.store.reader(archive_key(self.service.owner, job_id)) as file:
            opened = open_archive(file, kind_of_archive_file(file), limits)
            if archive.kind != "zip":
                # A tar's members are known when it has been read through.
                return
            looked_at = list(islice((member.left_alone for member in opened.members()), MOST_LOOKED_AT))
            if all(looked_at) and len(looked_at) < MOST_LOOKED_AT:
                raise InvalidInput(Code.EMPTY_UPLOAD, "the archive holds no photos")


def fingerprint_of(wanted: NewJob, contents: str = "") -> str:
    """Hex digest of what a request asks for and brings."""
    asked = json.dumps([wanted.as_json(), contents], sort_keys=True)
    return hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()


def _beginning(part: FormFile) -> bytes:
    pieces = b""
    while len(pieces) < 512 and (piece := part.read()):
        pieces += piece
    if not pieces:
        raise InvalidInput(Code.EMPTY_UPLOAD, "the archive is empty")
    return pieces


def _mixed() -> InvalidInput:
    return InvalidInput(Code.MIXED_UPLOAD, "a job takes photos, or one archive, not both")
