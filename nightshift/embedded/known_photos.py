"""Whether a run's photos look as if they were known: then its workers load no network before one needs it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import select

from shared.bundles.manifest import Manifest
from shared.db.engine import Database
from shared.db.tables import Archive
from shared.queue.reuse import find_earlier
from shared.settings import Settings

SAMPLE = 5
"""Photos that are looked at, spread over all of them: some may be new, or fail each time."""

OWNER = "local"


def seem_known(
    settings: Settings,
    manifest: Manifest,
    photos: Sequence[Path],
    archive: Path | None,
    options: Mapping[str, Any],
) -> bool:
    """Whether any of some photos was analysed with these weights and options, or the archive unpacked.

    It is a guess, and costs little where it is wrong: networks are loaded as soon as a photo needs them.

    Args:
        settings: with an up-to-date database.
        manifest: of the weights.
        photos: files that were found.
        archive: what is analysed instead; None for files.
        options: the job's that were given.
    """
    wanted = settings.default_job_options().model_copy(update=options)
    if not wanted.reuse:
        return False
    with closing(Database(settings.database_url)) as database, database.read() as session:
        if archive is not None:
            name, size = Archive.name == archive.name, Archive.size_bytes == archive.stat().st_size
            return session.scalar(select(Archive.job_id).where(name, size).limit(1)) is not None
        return any(
            find_earlier(
                session,
                owner=OWNER,
                sha256=sha256,
                bundle_sha256=manifest.sha256,
                options_fingerprint=wanted.analysis().fingerprint(manifest.reading),
            )
            for sha256 in _digests(photos, settings.max_photo_bytes)
        )


def _digests(photos: Sequence[Path], most_bytes: int) -> list[str]:
    """Of what can be read of the sample; what cannot needs no network either."""
    digests = []
    for photo in photos[:: max(1, len(photos) // SAMPLE)][:SAMPLE]:
        with suppress(OSError), photo.open("rb") as file:
            digests.append(hashlib.sha256(file.read(most_bytes + 1)).hexdigest())
    return digests
