"""`/v1/jobs/{job_id}/thumbnails`: all small pictures of a job in one stream."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from itertools import chain

from flask import Response

from api.context import Context, context
from api.description import RESULTS_TAG, answers, blueprint_of, media
from api.parameters import JobPath
from shared.files.store import thumbnail_key
from shared.reads.jobs import JOBS_PATH
from shared.reads.photos import final_photo_ids

TAR = "application/x-tar"

blueprint = blueprint_of("thumbnails", RESULTS_TAG, JOBS_PATH)


@blueprint.get("/<job_id>/thumbnails", responses=answers({200: media(TAR)}, 404))
def get_thumbnails(path: JobPath) -> Response:
    """The thumbnails of every photo that is final, as one tar, streamed

    Uncompressed; its members are `PHOTO_ID.webp`, in the order in which the photos were added. A
    photo without a thumbnail is left out. An answer that is cut off was not read to its end: it
    lacks the last chunk, which clients report as an error.
    """
    pages = final_photo_ids(context().database, context().owner, path.job_id)
    # Read now, so that what is wrong from the start is told by the status.
    pages = chain([next(pages)], pages)
    headers = {"Content-Disposition": f'attachment; filename="{path.job_id}.thumbnails.tar"'}
    return Response(_tar(context(), path.job_id, pages), content_type=TAR, headers=headers)


def _tar(service: Context, job_id: str, pages: Iterator[list[str]]) -> Iterator[bytes]:
    """One piece a member: some kilobytes, the only ones in memory."""
    for photo_id in chain.from_iterable(pages):
        image = service.store.get(thumbnail_key(service.owner, job_id, photo_id))
        if image is not None:
            yield _member(f"{photo_id}.webp", image)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _member(name: str, data: bytes) -> bytes:
    head = tarfile.TarInfo(name)
    head.size = len(data)
    return head.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % tarfile.BLOCKSIZE)
