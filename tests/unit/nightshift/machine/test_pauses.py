from __future__ import annotations

from nightshift.machine.pauses import Pauses


def test_pauses_double_up_to_a_bound() -> None:
    pauses = Pauses(first_s=0.5, longest_s=8.0)
    assert [pauses.after(failures) for failures in range(1, 8)] == [0.5, 1, 2, 4, 8, 8, 8]


def test_what_fails_for_days_is_still_waited_for() -> None:
    assert Pauses(first_s=0.5, longest_s=30.0).after(100_000) == 30.0
