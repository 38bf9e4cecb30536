from __future__ import annotations

import pytest

from worker.suspension import SuspensionWatch


class Clocks:
    """A wall clock and one that nobody sets."""

    def __init__(self) -> None:
        self.wall_s = self.monotonic_s = 1e9

    def run(self, seconds: float) -> None:
        self.wall_s += seconds
        self.monotonic_s += seconds

    def watch(self, lease_s: float = 120) -> SuspensionWatch:
        """One that has run for a lease."""
        watch = SuspensionWatch(lease_s, lambda: self.wall_s, lambda: self.monotonic_s)
        for _ in range(20):
            assert not watch.leases_can_be_trusted(self.wall_s)
            self.run(lease_s / 20)
        watch.look()
        return watch


def test_short_gaps_are_no_suspension() -> None:
    clocks = Clocks()
    watch = clocks.watch()
    for _ in range(10):
        clocks.run(29)
        assert watch.leases_can_be_trusted(clocks.wall_s)


@pytest.mark.parametrize("by_s", [3600, -3600])
def test_a_clock_that_is_set_costs_one_lease(by_s: float) -> None:
    clocks = Clocks()
    watch = clocks.watch()
    clocks.wall_s += by_s
    assert not watch.leases_can_be_trusted(clocks.wall_s)
    for _ in range(5):
        clocks.run(20)
        assert not watch.leases_can_be_trusted(clocks.wall_s)
    clocks.run(20)
    assert watch.leases_can_be_trusted(clocks.wall_s)


def test_a_stopped_process_waits_one_lease() -> None:
    clocks = Clocks()
    watch = clocks.watch(lease_s=10)
    clocks.run(11)
    assert not watch.leases_can_be_trusted(clocks.wall_s)


def test_a_database_that_was_away_waits_one_lease() -> None:
    clocks = Clocks()
    watch = clocks.watch(lease_s=8)
    watch.distrust()
    assert not watch.leases_can_be_trusted(clocks.wall_s)
    for _ in range(4):
        clocks.run(2)
        watch.look()
    assert watch.leases_can_be_trusted(clocks.wall_s)


@pytest.mark.parametrize("by_s", [3600, -3600])
def test_a_clock_of_another_machine_that_is_set_costs_one_lease(by_s: float) -> None:
    """PostgreSQL's, which leases are held against."""
    clocks = Clocks()
    watch = clocks.watch()
    assert watch.leases_can_be_trusted(clocks.wall_s)
    for _ in range(6):
        assert not watch.leases_can_be_trusted(clocks.wall_s + by_s)
        clocks.run(20)
    assert watch.leases_can_be_trusted(clocks.wall_s + by_s)
