"""`/v1/jobs/{job_id}/photos`: add photos to an open job and look at them."""

from __future__ import annotations

from flask import Response, request

from api import intake
from api.answers import answer, answer_page
from api.body import body_of
from api.context import Context, context
from api.description import PHOTO_BODY, PHOTOS_TAG, answers, blueprint_of, media
from api.in_place import registrable
from api.parameters import DigestHeader, ImageQuery, JobPath, OutlineQuery, PhotoPath, PhotosQuery, PutQuery
from api.sent_bodies import InPlacePhotos, KnownPhotos, NotSentPhotos
from nightshift.words import documents
from nightshift.words.error_codes import Code
from nightshift.words.errors import NotFound, Transient
from shared.files.in_place import InPlace
from shared.files.photo_bytes import Stored, read_photo
from shared.files.store import thumbnail_key
from shared.reads.jobs import JOBS_PATH
from shared.reads.outline import photo_outline
from shared.reads.photos import photo_by_id, photo_page

blueprint = blueprint_of("photos", PHOTOS_TAG, JOBS_PATH)


@blueprint.put(
    "/<job_id>/photos",
    responses=answers({201: documents.Photo, 200: documents.Photo}, 400, 404, 409, 413, 415, 507),
    request_body=PHOTO_BODY,
)
def put_photo(
    path: JobPath,
    query: PutQuery,
    header: DigestHeader,  # noqa: ARG001 - described; `body_of` reads it
) -> Response:
    """Put one photo into an open job

    The body is the file's bytes as they are. The same bytes again under the same `custom_id` are
    no error, and are answered 200. A `Content-Digest: sha-256=:...:` header is checked. An empty body is
    a photo that failed.
    """
    body = body_of(request, context().settings.max_photo_bytes)
    announced_bytes = request.content_length or 0
    photo, is_new = intake.put_photo(
        context(), path.job_id, query.custom_id, body, announced_bytes, query.place
    )
    location = f"{JOBS_PATH}/{path.job_id}/photos/{photo.photo_id}"
    return answer(photo, 201 if is_new else 200, {"Location": location})


@blueprint.post(
    "/<job_id>/photos/check", responses=answers({200: documents.Checked}, 400, 404, 409, 413, 415, 507)
)
def check_photos(path: JobPath, body: KnownPhotos) -> Response:
    """Ask which photos have still to be sent

    Photos whose bytes the service holds from an earlier job of yours are added to this one; they need
    not be sent again.
    """
    return answer(intake.take_known(context(), path.job_id, body.photos))


@blueprint.post(
    "/<job_id>/photos/in-place", responses=answers({200: documents.Added}, 400, 403, 404, 409, 413, 415, 507)
)
def register_in_place(path: JobPath, body: InPlacePhotos) -> Response:
    """Register files of the server's machine, which stay where they are

    Only from that machine itself, with the scope `in_place`, and within the server's roots; never files of
    the service's own.
    """
    photos = registrable(context(), request, body.photos)
    return answer(intake.register_in_place(context(), path.job_id, photos))


@blueprint.post(
    "/<job_id>/photos/not-sent", responses=answers({200: documents.Added}, 400, 404, 409, 413, 415, 507)
)
def add_not_sent(path: JobPath, body: NotSentPhotos) -> Response:
    """Say which photos you cannot send

    Each becomes a photo that failed, so that the job's results name it; the next step is to submit the job.
    """
    return answer(intake.add_not_sent(context(), path.job_id, body.photos))


@blueprint.get("/<job_id>/photos", responses=answers({200: documents.PhotoPage}, 404))
def list_photos(path: JobPath, query: PhotosQuery) -> Response:
    """List a job's photos, or those that are sought, in the order they were added or another

    The `Link` header leads to the next page.
    """
    with context().database.read() as session:
        page = photo_page(
            session,
            *(context().owner, path.job_id, query.sought()),
            order=query.order(),
            cursor=query.cursor,
            limit=query.limit,
        )
    return answer_page(page, page.next)


@blueprint.get("/<job_id>/photos/outline", responses=answers({200: documents.PhotoOutline}, 404))
def outline_photos(path: JobPath, query: OutlineQuery) -> Response:
    """A job's photos, or those that are sought, in outline

    In the same order: how many there are, the shape of each, and the cursor of every page of `limit`: a grid
    of them is laid out at once, and each page is asked for when it is looked at.
    """
    with context().database.read() as session:
        outline = photo_outline(
            session,
            context().owner,
            path.job_id,
            query.sought(),
            order=query.order(),
            limit=query.limit,
        )
    return answer(outline)


@blueprint.get("/<job_id>/photos/<photo_id>", responses=answers({200: documents.Photo}, 404))
def get_photo(path: PhotoPath) -> Response:
    """One photo and its faces"""
    with context().database.read() as session:
        return answer(photo_by_id(session, context().owner, path.job_id, path.photo_id))


@blueprint.get("/<job_id>/photos/<photo_id>/thumbnail", responses=answers({200: media("image/webp")}, 404))
def get_thumbnail(path: PhotoPath) -> Response:
    """A small picture of a photo that was analysed"""
    with context().database.read() as session:
        photo_by_id(session, context().owner, path.job_id, path.photo_id)
    image = context().store.get(thumbnail_key(context().owner, path.job_id, path.photo_id))
    if image is None:
        raise NotFound(Code.THUMBNAIL_NOT_FOUND, f"no thumbnail of photo {path.photo_id}")
    headers = {"Content-Disposition": f'inline; filename="{path.photo_id}.webp"'}
    return Response(image, mimetype="image/webp", headers=headers)


@blueprint.get(
    "/<job_id>/photos/<photo_id>/image",
    responses=answers({200: media("image/webp")}, 400, 404, 409, 413, 422),
)
def get_image(path: PhotoPath, query: ImageQuery) -> Response:
    """The photo itself at the size of a screen, drawn on request: 1,600 pixels at most, upright

    It is read where it is: from the store, or where it was registered in place. A photo that cannot be
    decoded is answered 422 with the code that it fails with; one whose bytes are gone 404,
    `file_unavailable`. While as many are being drawn as may be at once, the answer is 503, `drawing_busy`;
    from an API that has nothing to decode with it is 409, `drawing_not_installed`.
    """
    service = context()
    with service.database.read() as session:
        photo = photo_by_id(session, service.owner, path.job_id, path.photo_id)
    boxes = [face.box_norm for face in photo.faces] if query.boxes else []
    with service.drawing.place():
        image = service.drawing.draw(_bytes(service, path.job_id, photo), boxes)
    headers = {"Content-Disposition": f'inline; filename="{path.photo_id}.webp"'}
    return Response(image, mimetype="image/webp", headers=headers)


def _bytes(service: Context, job_id: str, photo: documents.Photo) -> bytes:
    try:
        return read_photo(
            Stored(photo.photo_id, photo.path, photo.sha256),
            service.store,
            owner=service.owner,
            job_id=job_id,
            max_bytes=service.settings.max_photo_bytes,
            in_place=InPlace(service.settings, service.store.folder),
        )
    except Transient as error:
        if error.code != Code.FILE_READ_ERROR:
            raise
        raise NotFound(Code.FILE_UNAVAILABLE, error.message) from error
