"""The bundles of a weights folder, whole and broken, as far as their manifests tell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable
from shared.bundles.manifest import BUNDLE_FILES, MANIFEST, Manifest, read_manifest


@dataclass(frozen=True, slots=True)
class ListedBundle:
    """A folder that is a bundle, or was meant to be one.

    Attributes:
        folder: absolute where the weights folder is.
        in_use: whether it is the one that the settings name.
        manifest: None when it cannot be read.
        error: what is wrong, without the folder's path; the weights are not opened to find out.
        size_bytes: of its files.
    """

    folder: Path
    in_use: bool
    manifest: Manifest | None
    error: ModelUnavailable | None
    size_bytes: int


def list_bundles(weights_dir: Path, in_use: Path | None = None) -> list[ListedBundle]:
    """Bundles by name; a broken one does not hide the others.

    Args:
        weights_dir: looked through, but not below its folders; nothing is found where there is none.
        in_use: folder of the bundle in use; listed wherever it lies.

    Raises:
        ModelUnavailable: `weights_dir_unreadable`.
    """
    try:
        # A name with a dot is an import on its way, or what is left of one.
        folders = sorted(path for path in weights_dir.iterdir() if not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        folders = []
    except OSError as error:
        message = f"the weights folder cannot be read: {error.strerror}"
        raise ModelUnavailable(Code.WEIGHTS_DIR_UNREADABLE, message) from error
    found = [look_at(folder, _is_same(folder, in_use)) for folder in folders if _is_meant(folder)]
    if in_use is not None and not any(bundle.in_use for bundle in found):
        found.append(look_at(in_use, True))
    return found


def _is_meant(folder: Path) -> bool:
    """A folder without any of the files is none of ours."""
    try:
        return any((folder / name).exists() for name in (MANIFEST, *BUNDLE_FILES))
    except OSError:
        return False


def _is_same(folder: Path, other: Path | None) -> bool:
    return other is not None and folder.resolve() == other.resolve()


def look_at(folder: Path, in_use: bool) -> ListedBundle:
    """One folder that is a bundle, or was meant to be one; whether it is in use is said by who asks."""
    manifest, error, size_bytes = None, None, 0
    try:
        if not (folder / MANIFEST).is_file():
            raise ModelUnavailable(Code.BUNDLE_NOT_FOUND, f"no {MANIFEST}")
        told = read_manifest(folder)
        for name in (MANIFEST, *told.digests):
            if not (folder / name).is_file():
                raise ModelUnavailable(Code.BUNDLE_NOT_FOUND, f"no {name}")
            size_bytes += (folder / name).stat().st_size
        manifest = told
    except ModelUnavailable as wrong:
        error = ModelUnavailable(wrong.code, wrong.message.removeprefix(f"{folder / MANIFEST}: "))
    except OSError as wrong:
        error = ModelUnavailable(Code.BUNDLE_NOT_FOUND, str(wrong.strerror))
    return ListedBundle(folder, in_use, manifest, error, size_bytes)
