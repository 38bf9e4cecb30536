"""`nightshift rerun`: the photos of a job once more, with other options, from where they are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from nightshift.client import Client
from nightshift.exits import Exit, exit_for_outcome, say
from nightshift.flags import with_wishes
from nightshift.looking import JobArgument, JsonOption, wait_for
from nightshift.machine.places import path_of_text
from nightshift.not_told import say_not_told
from nightshift.opened import take_back
from nightshift.screen import errors_screen, tell, tell_json
from nightshift.words.documents import Job, Photo
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.new_job import NewJob
from nightshift.words.plain_text import counted, plain
from nightshift.words.states import PhotoStatus

AT_ONCE = 500
"""Photos that are named with one request."""
SHOWN = 10
"""Names that are said of photos that are left out."""

_KEPT = ("label", "priority", "max_failure_rate", "processing_window", "metadata")
"""Wishes that are as they were, unless others are given; a deadline has passed."""


@with_wishes
def rerun(
    job: JobArgument,
    wish: NewJob,
    *,
    client: Client,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the end; the exit code tells how it was.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a job of another one's photos, with the options given and else with its own, and print its id.

    Nothing is sent again: a server has the photos, or they are read in place. Those of which it has no copy
    are named, and left out: the exit code is 3 where one of them had succeeded.
    """
    earlier = client.job(job)
    fields = {name: getattr(earlier, name) for name in _KEPT}
    fields |= wish.model_dump(exclude_unset=True, exclude={"options"})
    options = earlier.options.model_dump() | wish.options.model_dump(exclude_unset=True)
    opened = client.create_job(**fields, options=options)
    try:
        failed, gone = _add(client, earlier, opened.id)
    except BaseException as error:
        take_back(client, opened.id, error, even_filled=True)
        raise
    _say_left_out(failed, "did not succeed then: send them again to have them")
    _say_left_out(gone, "succeeded, but the server has no copy any more that it can take over")
    if not client.job(opened.id).counts.total:
        client.delete(opened.id)
        raise InvalidInput(Code.NO_PHOTOS, f"none of the photos of {earlier.id} is there any more")
    submitted = client.submit(opened.id)
    say_not_told(submitted)
    if not as_json:
        tell(submitted.id)
    if wait:
        submitted = wait_for(client, submitted.id, errors_screen())
    if as_json:
        tell_json(submitted.model_dump(mode="json"))
    code = exit_for_outcome(submitted.outcome) if wait else Exit.SUCCEEDED
    raise typer.Exit(Exit.PARTIAL if gone and code == Exit.SUCCEEDED else code)


def _say_left_out(names: list[str], why: str) -> None:
    if names:
        shown = ", ".join(map(plain, names[:SHOWN])) + (", ..." if len(names) > SHOWN else "")
        say(f"{counted(len(names), 'photo')} left out, which {why}: {shown}")


def _add(client: Client, earlier: Job, job_id: str) -> tuple[list[str], list[str]]:
    """Add the photos of the earlier job.

    Returns:
        Names of those that are not there any more: of those that had not succeeded, and of the others.
    """
    failed: list[str] = []
    gone: list[str] = []
    photos = iter(client.photos(earlier.id))
    while some := list(islice(photos, AT_ONCE)):
        if in_place := list(_in_place(some)):
            client.register_in_place(job_id, in_place)
        sent = {photo.custom_id: photo.sha256 for photo in some if photo.path is None and photo.sha256}
        left = {photo.custom_id for photo in some if photo.path is None and not photo.sha256}
        left |= set(client.missing_photos(job_id, sent) if sent else ())
        for photo in some:
            if photo.custom_id in left:
                (gone if photo.status == PhotoStatus.SUCCEEDED else failed).append(photo.custom_id)
    return failed, gone


def _in_place(photos: list[Photo]) -> Iterator[tuple[str, Path] | tuple[str, Path, Path]]:
    for photo in photos:
        if photo.path is not None and photo.root is not None:
            yield photo.custom_id, path_of_text(photo.path), path_of_text(photo.root)
        elif photo.path is not None:
            yield photo.custom_id, path_of_text(photo.path)
