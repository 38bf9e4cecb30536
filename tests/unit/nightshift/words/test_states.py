from __future__ import annotations

import pytest

from nightshift.words.states import CLAIMABLE_STATES, FINAL_STATUSES, MOVES, JobState, PhotoStatus


def reachable(start: JobState) -> set[JobState]:
    seen = {start}
    while True:
        more = {move.reaches for move in MOVES.values() if move.leaves & seen} - seen
        if not more:
            return seen
        seen |= more


def test_every_state_is_reached_from_open() -> None:
    assert reachable(JobState.OPEN) == set(JobState)


@pytest.mark.parametrize("state", list(JobState))
def test_every_job_can_end(state: JobState) -> None:
    assert JobState.ENDED in reachable(state)


def test_an_ended_job_is_only_tried_again() -> None:
    assert [name for name, move in MOVES.items() if JobState.ENDED in move.leaves] == ["retry"]


def test_a_job_under_cancellation_only_ends() -> None:
    assert [name for name, move in MOVES.items() if JobState.CANCELLING in move.leaves] == ["finish"]


def test_no_move_stays_where_it_is() -> None:
    assert not [name for name, move in MOVES.items() if move.reaches in move.leaves]


def test_paused_jobs_are_not_claimed() -> None:
    assert {JobState.QUEUED, JobState.RUNNING} == CLAIMABLE_STATES
    assert MOVES["pause"].leaves == CLAIMABLE_STATES


def test_a_photo_is_either_final_or_on_its_way() -> None:
    assert set(PhotoStatus) - FINAL_STATUSES == {PhotoStatus.QUEUED, PhotoStatus.RUNNING}
