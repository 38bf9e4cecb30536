"""When a job may be worked on: a daily window in a time zone, written `22:00-06:00 Europe/Berlin`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_FORM = re.compile(r"([0-2]\d:[0-5]\d)-([0-2]\d:[0-5]\d) ([A-Za-z0-9_+/-]{1,64})", re.ASCII)

_DAY = timedelta(days=1)
MOST_NIGHTS = 3650
"""Further ahead nothing is told."""


@cache
def zone_names() -> frozenset[str]:
    """Names of the time zones there are: those of the tz database, the same on every machine.

    A system's folder of zones also holds what is none: `localtime`, which is another one on each machine,
    `posixrules`, `Factory`, and every zone once more under `posix/` and `right/`.
    """
    listed = files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(listed) - {"Factory", "localtime", "posixrules"}


@dataclass(frozen=True, slots=True)
class ProcessingWindow:
    """Open from `opens` until just before `closes`, by the clocks of `zone`; over midnight if need be."""

    opens: time
    closes: time
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a window.

        Raises:
            ValueError: it is not of this form, empty, or in a zone that nobody knows.
        """
        found = _FORM.fullmatch(text)
        if found is None and _FORM.fullmatch(f"{text} UTC"):
            raise ValueError("lacks its time zone, as in 22:00-06:00 Europe/Berlin")
        if found is None:
            raise ValueError("must read like 22:00-06:00 Europe/Berlin")
        try:
            opens, closes = time.fromisoformat(found[1]), time.fromisoformat(found[2])
        except ValueError as error:
            raise ValueError("hours go from 00:00 to 23:59") from error
        if opens == closes:
            raise ValueError("opens and closes at the same time; leave it out for a job that may always run")
        if found[3] not in zone_names():
            raise ValueError(f"no time zone is called {found[3]!r}")
        try:
            return cls(opens, closes, ZoneInfo(found[3]))
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"no time zone is called {found[3]!r}") from error

    def is_open(self, at: datetime) -> bool:
        """Whether work may be taken up then."""
        local = at.astimezone(self.zone).time()
        if self.opens < self.closes:
            return self.opens <= local < self.closes
        return local >= self.opens or local < self.closes

    def next_opening(self, after: datetime) -> datetime:
        """When it opens next, UTC."""
        return next(at for at in self._moments(self.opens, after) if self.is_open(at))

    def next_closing(self, after: datetime) -> datetime:
        """When it closes next, UTC."""
        return next(at for at in self._moments(self.closes, after) if not self.is_open(at))

    def end_of(self, needed: timedelta, begins: datetime) -> datetime:
        """When work is done that rests while the window is closed, UTC.

        Args:
            needed: how long it takes, without the rests.
            begins: when it could begin.
        """
        begins = begins if self.is_open(begins) else self.next_opening(begins)
        closes = self.next_closing(begins)
        if needed <= closes - begins:
            return begins + needed
        needed -= closes - begins
        any_day = datetime(2000, 1, 1)  # noqa: DTZ001 - two clocks of one day
        night = (datetime.combine(any_day, self.closes) - datetime.combine(any_day, self.opens)) % _DAY
        # The last one, whole or in part; those before it are whole.
        nights = -(-needed // night) - 1
        opening = self.next_opening(closes).astimezone(self.zone) + min(nights, MOST_NIGHTS) * _DAY
        return opening.astimezone(UTC) + needed - nights * night

    def _moments(self, clock: time, after: datetime) -> list[datetime]:
        """When clocks show this after a moment, soonest first, UTC; an hour may come twice, or not at all."""
        today = after.astimezone(self.zone).date()
        moments = (
            datetime.combine(today + days * _DAY, clock, self.zone).replace(fold=fold).astimezone(UTC)
            for days in range(4)
            for fold in (0, 1)
        )
        return sorted(at for at in moments if at > after)
