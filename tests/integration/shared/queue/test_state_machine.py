"""Whatever workers, owners and the sweeper do, in any order: nothing lost, nothing twice."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select

from nightshift.words.analysis import PhotoError
from nightshift.words.clock import utc_now
from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict
from nightshift.words.states import FINAL_STATUSES, MOVES, JobState, Outcome, PhotoStatus
from shared.db.engine import Database
from shared.db.tables import FaceRow, Job, Photo
from shared.queue.claim import Claim
from shared.queue.counts import count_photos
from shared.queue.save import Failed, NotRead, Result, Succeeded
from tests.support.queue_rows import (
    ahead,
    analysis,
    assert_nothing_lost_nothing_twice,
    face,
    manifest,
    pauses_are_over,
    queue_of,
    queued_job,
)

WORKERS = ("anna", "ben", "cleo")
MAX_CRASHES = 3
Fate = st.sampled_from(["good", "good", "two faces", "bad", "not read"])


class Service(RuleBasedStateMachine):
    """Jobs, three workers, an owner, a sweeper. Every claim ever made is kept: workers come back late."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[str] = []
        self.claims: list[Claim] = []
        # What is final stays as it is until its owner tries it again.
        self.final: dict[str, tuple[str, int]] = {}
        self.queue = queue_of(self.database, max_crashes=MAX_CRASHES, max_read_errors=2)

    @initialize()
    def empty(self) -> None:
        with self.database.write() as session:
            session.execute(delete(FaceRow))
            session.execute(delete(Photo))
            session.execute(delete(Job))

    @rule(
        photos=st.integers(1, 6),
        priority=st.integers(0, 1),
        rate=st.sampled_from([None, None, 0.3]),
        submitted=st.sampled_from([True, True, False]),
    )
    @precondition(lambda self: len(self.jobs) < 3)
    def open(self, photos: int, priority: int, rate: float | None, submitted: bool) -> None:
        job_id = queued_job(self.database, photos, priority=priority, submitted=False)
        with self.database.write() as session:
            job = session.get_one(Job, job_id)
            job.max_failure_rate = rate
            job.open_until = utc_now() + timedelta(days=7)
        if submitted:
            self.queue.submit("local", job_id)
        self.jobs.append(job_id)

    @precondition(lambda self: self.jobs)
    @rule(worker=st.sampled_from(WORKERS), batch_size=st.integers(1, 4))
    def claim(self, worker: str, batch_size: int) -> None:
        pauses_are_over(self.database)
        held = self.queue.claim(worker=worker, batch_size=batch_size)
        if held is not None:
            assert 1 <= len(held.photos) <= batch_size
            self.claims.append(held)

    @rule(data=st.data())
    @precondition(lambda self: self.claims)
    def save(self, data: st.DataObject) -> None:
        held = self._a_claim(data)
        fates = data.draw(st.lists(Fate, min_size=len(held.photos), max_size=len(held.photos)))
        results = [self._result(photo.id, fate) for photo, fate in zip(held.photos, fates, strict=True)]
        still = self._still_held(held)
        saved = self.queue.save(held, results, bundle=manifest())
        assert (saved.written, saved.lost) == (still, len(results) - still)
        self._finish(held.job_id)

    @staticmethod
    def _result(photo_id: str, fate: str) -> Result:
        if fate == "bad":
            return Failed(photo_id, PhotoError(Code.CORRUPT_IMAGE, "decode", "x"), "0" * 64, 1)
        if fate == "not read":
            return NotRead(photo_id, "no route to host")
        faces = [face(index) for index in range(2 if fate == "two faces" else 1)]
        return Succeeded(photo_id, "0" * 64, 1, analysis(*faces))

    @rule(data=st.data())
    @precondition(lambda self: self.claims)
    def give_back(self, data: st.DataObject) -> None:
        held = self._a_claim(data)
        still = self._still_held(held)
        assert self.queue.give_back(held) == still

    @rule(data=st.data())
    @precondition(lambda self: self.claims)
    def hang(self, data: st.DataObject) -> None:
        held = self._a_claim(data)
        ids = [photo.id for photo in held.photos]
        at = data.draw(st.sets(st.sampled_from(ids), min_size=1))
        self.queue.release_hung(held, at, at_store=data.draw(st.booleans()))
        assert self._still_held(held) == 0

    @rule(data=st.data())
    @precondition(lambda self: self.claims)
    def renew(self, data: st.DataObject) -> None:
        held = self._a_claim(data)
        still = self._still_held(held)
        assert self.queue.renew(held) == still

    @rule(dead=st.sampled_from(WORKERS))
    def a_worker_dies(self, dead: str) -> None:
        self.queue.return_lapsed(lambda name: name == dead, by_time=False)

    @rule()
    def leases_run_out(self) -> None:
        with ahead(timedelta(hours=1)):
            self.queue.return_lapsed(lambda _: False)

    @rule()
    def sweep(self) -> None:
        for job_id in self.queue.unended_jobs():
            self._finish(job_id)

    @rule(after=st.sampled_from([timedelta(0), timedelta(days=8)]))
    def expire(self, after: timedelta) -> None:
        self.queue.expire_open(utc_now() + after)

    @rule(data=st.data(), name=st.sampled_from(["submit", "pause", "resume", "cancel", "retry"]))
    @precondition(lambda self: self.jobs)
    def move(self, data: st.DataObject, name: str) -> None:
        job_id = data.draw(st.sampled_from(self.jobs))
        before = self._job(job_id)
        legal = before.state in MOVES[name].leaves
        # Twice is once; a submit of a submitted job and a cancel of a cancelled one are no errors.
        again = (name == "submit" and before.state != JobState.OPEN) or (
            name == "cancel" and (before.state == JobState.CANCELLING or before.outcome == Outcome.CANCELLED)
        )
        waits = {photo.id for photo in self._photos(job_id) if photo.status in ("failed", "cancelled")}
        try:
            getattr(self.queue, name)("local", job_id)
        except Conflict as error:
            assert error.details["state"] == before.state
            assert not legal or (name == "retry" and not waits)
            after = self._job(job_id)
            assert (after.state, after.outcome) == (before.state, before.outcome)
            return
        assert legal or again
        if name == "retry":
            for photo_id in waits:
                self.final.pop(photo_id, None)
        if legal and not again:
            assert self._job(job_id).state == MOVES[name].reaches

    @invariant()
    def what_is_final_stays(self) -> None:
        for job_id in self.jobs:
            for photo in self._photos(job_id):
                known = self.final.get(photo.id)
                assert known is None or known == (photo.status, photo.attempts)
                if photo.status in FINAL_STATUSES:
                    self.final[photo.id] = (photo.status, photo.attempts)

    @invariant()
    def rows_agree(self) -> None:
        with self.database.read() as session:
            faces = Counter(session.scalars(select(FaceRow.photo_id)))
            for job_id in self.jobs:
                job = session.get_one(Job, job_id)
                photos = session.scalars(select(Photo).where(Photo.job_id == job_id)).all()
                counts = count_photos(session, job_id)
                assert counts.total == len(photos) == counts.queued + counts.running + counts.final
                for photo in photos:
                    running = photo.status == PhotoStatus.RUNNING
                    assert running == (photo.lease_token is not None) == (photo.lease_expires_at is not None)
                    assert faces[photo.id] == photo.face_count
                    assert photo.face_count == 0 or photo.status == PhotoStatus.SUCCEEDED
                    assert photo.crashes <= MAX_CRASHES
                    assert (photo.error is not None) == (photo.status == PhotoStatus.FAILED)
                assert (job.state == JobState.ENDED) == (job.outcome is not None)
                assert job.error is None or job.state in (JobState.CANCELLING, JobState.ENDED)
                if job.state == JobState.ENDED:
                    assert job.final_counts == counts.model_dump()
                    assert counts.final == counts.total
                if job.state == JobState.OPEN:
                    assert counts.queued == counts.total

    @invariant()
    def suspects_are_alone(self) -> None:
        for held in self.claims:
            with self.database.read() as session:
                photos = session.scalars(select(Photo).where(Photo.lease_token == held.token)).all()
            assert len(photos) == 1 or not any(photo.crashes for photo in photos)

    def teardown(self) -> None:
        """However it was left: every job can be brought to its end."""
        if not self.jobs:
            return
        queue_of(self.database, max_crashes=100).return_lapsed(lambda _: True)
        for job_id in self.jobs:
            state = self._job(job_id).state
            if state == JobState.OPEN:
                self.queue.submit("local", job_id)
            elif state == JobState.PAUSED:
                self.queue.resume("local", job_id)
        while self._work():
            pass
        self.sweep()
        assert {self._job(job_id).state for job_id in self.jobs} == {JobState.ENDED}
        assert_nothing_lost_nothing_twice(self.database)

    def _work(self) -> bool:
        pauses_are_over(self.database)
        held = self.queue.claim(worker="last", batch_size=4)
        if held is None:
            return False
        results = [self._result(photo.id, "good") for photo in held.photos]
        self.queue.save(held, results, bundle=manifest())
        self._finish(held.job_id)
        return True

    def _finish(self, job_id: str) -> None:
        self.queue.finish(job_id)

    def _a_claim(self, data: st.DataObject) -> Claim:
        # Recent ones: older ones have been dealt with, and late comers are among these, too.
        return data.draw(st.sampled_from(self.claims[-5:]))

    def _still_held(self, held: Claim) -> int:
        with self.database.read() as session:
            return len(session.scalars(select(Photo.id).where(Photo.lease_token == held.token)).all())

    def _job(self, job_id: str) -> Job:
        with self.database.read() as session:
            return session.get_one(Job, job_id)

    def _photos(self, job_id: str) -> list[Photo]:
        with self.database.read() as session:
            return list(session.scalars(select(Photo).where(Photo.job_id == job_id)))


@pytest.mark.parametrize("examples", [40, pytest.param(400, marks=pytest.mark.soak)])
@pytest.mark.timeout(1800)
def test_nothing_lost_nothing_twice_in_any_order(database: Database, examples: int) -> None:
    machine = type("Machine", (Service,), {"database": database})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
