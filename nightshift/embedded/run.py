"""`nightshift run`: start everything, analyse the photos, write the results, stop everything."""

from __future__ import annotations

import secrets
import shlex
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from nightshift.client import Client
from nightshift.embedded.beside_photos import BesidePhotos
from nightshift.embedded.clock_warning import clock_warning
from nightshift.embedded.early import EarlyWorker
from nightshift.embedded.home import Home
from nightshift.embedded.interrupted_runs import (
    InterruptedRun,
    Work,
    choose_run,
    forget_run,
    interrupted_runs,
    note_run,
    pause_runs,
    runs_by_their_metadata,
)
from nightshift.embedded.interruption import Interrupted, interruptible
from nightshift.embedded.known_photos import seem_known
from nightshift.embedded.left_runs import run_to_resume
from nightshift.embedded.logs import log_here
from nightshift.embedded.open_roots import open_roots
from nightshift.embedded.parting import parting_words
from nightshift.embedded.request import Request as Request
from nightshift.embedded.service import check_bundle, running_service
from nightshift.embedded.supervisor import Supervisor
from nightshift.embedded.told import check_notify, check_secret, check_secret_beforehand, what_is_untold
from nightshift.exits import Exit, exit_for_outcome, say
from nightshift.given import label_of, require_there
from nightshift.not_told import say_not_told
from nightshift.photos import Found, archive_among, find_photos
from nightshift.plans import Plan
from nightshift.progress import JobProgress
from nightshift.report import (
    Report,
    add_page,
    check_room,
    check_writable,
    write_pairs,
    write_results,
)
from nightshift.results_folder import Note, Place, default_out, place_again, place_for, require_elsewhere
from nightshift.summary_rows import first_failures
from nightshift.table_files import require
from nightshift.waiting import WORD_S, Lookout, say_if_slow
from nightshift.words.documents import Job
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput, NightshiftError
from nightshift.words.new_job import NewJob
from nightshift.words.options import PREVIEW_PX, JobOptions
from nightshift.words.pairs import PairsWish
from nightshift.words.photo_names import path_spelled_out
from nightshift.words.plain_text import counted
from nightshift.words.states import JobState
from shared.bundles.manifest import Manifest
from shared.db.engine import Database
from shared.db.migrate import upgrade
from shared.settings import Settings, load_settings

_GOES_ON = frozenset({Code.GAVE_UP, Code.SERVICE_FAILED})
"""Ends of a run after which it may be resumed: what is done is kept."""

_QUIET_WORD_S = 60.0
"""With --quiet a start that is merely slow is not worth a word."""

_LOOK_S = 2
"""Longest time between two looks at the job, and so at the children's health."""


class Run:
    """One run, from looking for photos to the report.

    Args:
        request: what the user asked for.
        console: on standard error.
        early: to become the workers' first process.

    Raises:
        InvalidInput: a setting is wrong.
    """

    def __init__(self, request: Request, console: Console, early: EarlyWorker | None = None) -> None:
        self._request = request
        self._early = early
        self._console = console
        self._started_at = time.monotonic()
        self._found = Found()
        self._job: Job | None = None
        self._is_noted = False
        self._manifest: Manifest | None = None
        # Once: what is free now has this run's results then, or it is another day.
        self._out = request.out or (default_out(request.paths) if request.paths else Path())
        self._place = Place(self._out)
        self._word_s = _QUIET_WORD_S if request.quiet else WORD_S
        key = secrets.token_urlsafe(32)
        self._settings = load_settings(
            **{"api_key": key, "host": "127.0.0.1", "in_place_roots": "", **request.settings}
        )

    def plan(self) -> Plan:
        """What it would do.

        Raises:
            NightshiftError: what would stop it before it begins.
        """
        earlier = run_to_resume(self._settings, self._request.paths) if self._request.resume else None
        paths = earlier.paths if earlier else self._request.paths
        out = self._request.out or earlier.out if earlier else self._out
        self._find(paths, out, earlier.pairs if earlier else self._pairs)
        check_notify(self._settings, self._request.about)
        if earlier is None:
            check_secret_beforehand(self._settings, self._request.about)
        settings, manifest = check_bundle(self._settings)
        options = settings.default_job_options().model_copy(update=dict(self._request.options))
        wish = NewJob.of(**self._request.about) if earlier is None else None
        return Plan(self._found, archive_among(paths), out, options, manifest.name, wish)

    def execute(self) -> Report | Exit:
        """Do it; a bare exit code when it was interrupted.

        Raises:
            NightshiftError: bad input, a home in use, a service that cannot go on, an API that says no.
        """
        request = self._request
        if request.paths:
            # Before anything is started: most mistakes are in the paths.
            self._find(request.paths, self._out, self._pairs)
        check_notify(self._settings, request.about)
        self._settings, self._manifest = check_bundle(self._settings)
        supervisor = Supervisor(say)
        try:
            with interruptible(supervisor.kill_all) as done:
                report = self._run(supervisor, done.set)
                return replace(report, seconds=time.monotonic() - self._started_at)
        except NightshiftError as error:
            if error.code in _GOES_ON and self._job is not None:
                say(self._parting_words())
            raise
        except Interrupted as interrupted:
            say(self._parting_words())
            return Exit(128 + interrupted.number)

    def _run(self, supervisor: Supervisor, done: Callable[[], None]) -> Report:
        with JobProgress(self._console, quiet=self._request.quiet) as progress, ExitStack() as parts:
            parts.enter_context(Home(self._settings.home, "run"))
            log_here(self._settings)
            with say_if_slow("the database of the home", say, self._word_s):
                upgrade(self._settings.database_url)
                work = self._choose()
                self._is_noted = work.earlier is not None
                if self._request.resume:
                    self._place = self._place_of(work)
            if work.earlier is not None and work.earlier.state == JobState.OPEN:
                self._find_again(work, work.earlier)
            # What keeps the run from beginning has been found by now.
            progress.stage("starting database, broker, API and workers")
            settings = self._with_networks_in_time(open_roots(self._settings, self._found, work.paths), work)
            listener = parts.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
            try:
                url = parts.enter_context(
                    running_service(
                        settings,
                        listener,
                        supervisor,
                        workers=True,
                        early=self._early,
                        word_s=self._word_s,
                    )
                )
                client = parts.enter_context(Client(url, settings.api_key.get_secret_value()))
                progress.stage(self._registering(work))
                self._job = self._begin(client, work)
                say_not_told(self._job)
                self._job = self._follow(client, supervisor, self._job.id, progress)
                progress.stage("writing results")
                out = self._place.now()
                if out != work.out:
                    say(f"what lies in {work.out} has changed meanwhile: the results go to {out}")
                report = self._report(client, self._job, work, out)
                if self._request.page:
                    progress.stage("writing the report")
                    report = add_page(client, report, out)
                forget_run(settings.home, self._job.id)
            except Interrupted:
                progress.stage("stopping")
                say("stopping; the workers give back what they have not finished (Ctrl-C again forces)")
                raise
            done()
            progress.stage("stopping")
        if untold := what_is_untold(self._settings, self._job.id):
            say(untold)
        return report

    def _with_networks_in_time(self, settings: Settings, work: Work) -> Settings:
        """Settings by which workers load them before the first photo comes, or not before one needs them."""
        if work.begun is not None or self._manifest is None:
            return settings
        photos = [photo.path for photo in self._found.photos]
        if not seem_known(settings, self._manifest, photos, archive_among(work.paths), self._request.options):
            return settings
        return settings.model_copy(update={"load_networks": "when_needed"})

    def _choose(self) -> Work:
        """Which job; interrupted runs are paused first."""
        request = self._request
        with closing(Database(self._settings.database_url)) as database, database.write() as session:
            # In a database that others use, too, such a run may be alive on another machine.
            alone = database.is_sqlite and self._settings.broker_is_embedded
            home = self._settings.home
            runs = pause_runs(session, home) if alone else interrupted_runs(session, home)
            unnoted = runs_by_their_metadata(session, home)
            kept = clock_warning(session)
            if not request.resume:
                check_secret(session, request.about)
        if kept and not request.quiet:
            say(f"{kept}; if it is right: `nightshift admin clock --trust{self._home_option()}`")
        if unnoted:
            say(
                f"unfinished jobs call themselves runs of an earlier version ({unnoted[0]}): they are not"
                " gone on with; run again over the same photos, what was analysed is taken over"
            )
        earlier = choose_run(runs, request.paths) if request.resume else None
        if earlier is not None:
            self._check_weights(earlier)
            if request.options or request.about:
                say("the interrupted run keeps the options it was begun with")
            return Work(earlier.paths, request.out or earlier.out, earlier)
        if request.resume and not request.paths:
            raise InvalidInput(Code.NOTHING_TO_RESUME, f"{self._settings.home} holds no interrupted run")
        if request.resume:
            say("no interrupted run over these paths: starting a new one")
        elif runs:
            say(
                f"{counted(len(runs), 'interrupted run is', 'interrupted runs are')} left:"
                f" `{self._resume_command()}` goes on with the latest, `nightshift runs` lists them"
            )
        return Work(tuple(request.paths), self._out, None)

    def _place_of(self, work: Work) -> Place:
        """Where a run that may be an interrupted one writes."""
        overwrite = self._request.overwrite
        if work.earlier is None:
            return place_for(work.out, work.paths, self._found.photos, overwrite=overwrite)
        check_writable(work.out)
        return place_again(work.out, work.earlier.job_id, work.paths, overwrite=overwrite)

    def _check_weights(self, earlier: InterruptedRun) -> None:
        """Half a job under other weights would be worse than none."""
        if self._manifest is None or self._manifest.sha256 != earlier.bundle_sha256:
            name = earlier.bundle_name
            raise InvalidInput(
                Code.OTHER_WEIGHTS,
                f"the interrupted run was begun with the weights {name}, sha256 {earlier.bundle_sha256[:12]}:"
                f" name them with --bundle, or run without --resume",
            )

    def _begin(self, client: Client, work: Work) -> Job:
        """A submitted job: a new one, or the interrupted one going on."""
        earlier = work.earlier
        if work.begun is not None:
            job = client.job(work.begun.job_id)
            return client.resume(job.id) if job.state == JobState.PAUSED else job
        if earlier is not None:
            job_id = earlier.job_id
        elif archive := archive_among(work.paths):
            # What is unpacked from it is a copy of what the user has.
            options = {"delete_originals": True, **self._request.options}
            job = client.submit_archive(archive, options=options, **self._about(work))
            # It has no id before all of it has arrived.
            note_run(self._settings.home, job.id, work.paths, work.out)
            return job
        else:
            job_id = client.create_job(options=self._request.options, **self._about(work)).id
            beside = BesidePhotos.of(self._found)
            note_run(self._settings.home, job_id, work.paths, work.out, beside)
            self._is_noted = True
        found = ((photo.custom_id, photo.path, photo.root) for photo in self._found.photos)
        client.register_in_place(job_id, found)
        return client.submit(job_id)

    def _about(self, work: Work) -> Mapping[str, object]:
        return {"label": label_of(work.paths), **self._request.about}

    def _registering(self, work: Work) -> str:
        if archive := archive_among(work.paths):
            return f"handing over {path_spelled_out(archive)}"
        if work.begun is not None:
            return f"going on with the interrupted run {work.begun.label or work.begun.job_id}"
        return f"registering {counted(len(self._found.photos), 'photo')}"

    def _follow(self, client: Client, supervisor: Supervisor, job_id: str, progress: JobProgress) -> Job:
        job = None
        lookout = Lookout(say, word_s=self._word_s, give_up_s=self._settings.give_up_s, own_workers=True)
        for job in client.poll(job_id, wait_s=_LOOK_S, lookout=lookout):
            self._job = job
            progress.show(job)
            supervisor.check()
        assert job is not None  # noqa: S101 - poll yields at least once
        return job

    def _report(self, client: Client, job: Job, work: Work, out: Path) -> Report:
        summary = client.summary(job.id)
        note = Note.of(job, summary, work.paths)
        files = write_results(client, job.id, out, also=self._request.also, note=note)
        beside = work.begun.beside if work.begun else BesidePhotos.of(self._found)
        if beside.pairs:
            files["pairs"] = write_pairs(beside.pairs, out)
        code = exit_for_outcome(job.outcome)
        if code == Exit.SUCCEEDED and (beside.unnameable or beside.unreadable):
            code = Exit.PARTIAL
        return Report(
            job=job,
            summary=summary,
            failed=first_failures(client, summary, job.id),
            files=files,
            exit=code,
            left_out=beside.unnameable,
            left_alone=beside.left_alone,
            unreadable=beside.unreadable,
        )

    @property
    def _pairs(self) -> PairsWish:
        wish: PairsWish = self._request.options.get("pairs", JobOptions().pairs)
        return wish

    def _find_again(self, work: Work, earlier: InterruptedRun) -> None:
        """Of a run broken off while photos were named: those the job has already are left as they are."""
        if not self._found.photos or earlier.pairs != self._pairs:
            self._find(work.paths, work.out, earlier.pairs)

    def _find(self, paths: Sequence[Path], out: Path, pairs: PairsWish) -> None:
        require_there(paths)
        for kind in self._request.also:
            require(kind)
        check_writable(out)
        if archive_among(paths):
            self._let_in(out, paths)
            return
        require_elsewhere(out, paths)
        exclude = [out, self._settings.home]
        with say_if_slow("the folders to be looked through", say, self._word_s):
            self._found = find_photos(paths, exclude=exclude, follow=self._request.follow, pairs=pairs)
        for reason in self._found.unreadable:
            say(f"cannot look into {reason}")
        if not self._found.photos:
            raise InvalidInput(
                Code.NO_PHOTOS, f"no photos in {', '.join(map(str, paths))}{self._found.others()}"
            )
        self._let_in(out, paths)
        if not self._request.quiet:
            self._found.tell(say)

    def _let_in(self, out: Path, paths: Sequence[Path]) -> None:
        """Make sure that results have room, and no others are in their way."""
        photos, request = self._found.photos, self._request
        preview_px = request.options.get("preview_px", PREVIEW_PX)
        check_room(out, len(photos), page=request.page, preview_px=preview_px)
        if not request.resume:
            self._place = place_for(out, paths, photos, overwrite=request.overwrite)

    def _resume_command(self) -> str:
        return f"nightshift run --resume{self._home_option()}"

    def _home_option(self) -> str:
        home = self._request.settings.get("home")
        return f" --home {shlex.quote(str(home))}" if home else ""

    def _parting_words(self) -> str:
        return parting_words(self._settings, self._job, is_noted=self._is_noted, again=self._again())

    def _again(self) -> str:
        bundle = self._request.settings.get("bundle")
        under = f" --bundle {shlex.quote(str(bundle))}" if bundle else ""
        return self._request.again or self._resume_command() + under
