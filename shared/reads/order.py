"""In which order a job's photos are listed, and where in it a page begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import Row, Select, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.db.tables import Photo
from shared.reads.cursor import Place, bad_cursor, decode_place, encode_place

Sort = Literal["added", "name", "time", "faces", "least_sure"]
SORTS: tuple[Sort, ...] = get_args(Sort)

_COLUMNS: dict[str, InstrumentedAttribute[Any]] = {
    "added": Photo.place,
    "name": Photo.name_order,
    "time": Photo.taken_at,
    "faces": Photo.face_count,
    "least_sure": Photo.sureness,
}
_KINDS: dict[str, type] = {"added": int, "time": str, "faces": int, "least_sure": float}
"""What a cursor holds of the photo that it stands behind: its value then. A name never changes, and is looked
up: it may be longer than a cursor."""

_ALL = 2**62
"""More rows than there are."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order of photos. Those of one value follow each other as they were added; those without come last.

    Attributes:
        sort: `added`: where the client placed them, else as they were added; `name`: capitals aside, numbers
            by their value; `time`: when they were taken, by the camera's clock; `faces`: the fewest first;
            `least_sure`: see `sureness`.
        reverse: the other way round, but for those without a value: they are last all the same.
    """

    sort: Sort = "added"
    reverse: bool = False

    def page(
        self, session: Session, query: Select[Any], job_id: str, cursor: str | None, limit: int
    ) -> tuple[Sequence[Row[Any]], str | None]:
        """Rows of a page, and the cursor of the next, None where there is none.

        Args:
            session: a read transaction.
            query: rows of photos of the job, in any order, `ordinal` among them.
            job_id: the job.
            cursor: of the page before, None for the first.
            limit: rows at most.

        Raises:
            InvalidInput: `bad_cursor`, also for one of another job or order.
        """
        after = None if cursor is None else self.place_of(cursor, job_id)
        rows = self.behind(session, query, job_id, after, limit + 1)
        shown = rows[:limit]
        if len(rows) <= limit:
            return shown, None
        return shown, encode_place(job_id, self._name, self._place(session, job_id, shown[-1].ordinal))

    def whole(
        self, session: Session, query: Select[Any], job_id: str, limit: int
    ) -> tuple[Sequence[Row[Any]], list[str]]:
        """All rows, and the cursor of each page of `limit` but the first."""
        is_valued = self.sort in _KINDS
        if is_valued:
            query = query.add_columns(_COLUMNS[self.sort].label("of_place"))
        rows = self.behind(session, query, job_id, None, _ALL)
        places = (
            Place(row.ordinal, row.of_place) if is_valued else Place(row.ordinal)
            for row in rows[limit - 1 : -1 : limit]
        )
        return rows, [encode_place(job_id, self._name, place) for place in places]

    def place_of(self, cursor: str, job_id: str) -> Place:
        """Where the page before ended.

        Raises:
            InvalidInput: `bad_cursor`, also for one of another job or order.
        """
        place = decode_place(cursor, job_id, self._name, _KINDS.get(self.sort))
        if place.value is None and self.sort == "faces":
            raise bad_cursor()
        if place.value is None and self.sort == "added":
            # Given out before photos had places, which then were their ordinals.
            return Place(place.ordinal, place.ordinal)
        return place

    @property
    def _name(self) -> str:
        return f"-{self.sort}" if self.reverse else self.sort

    def _place(self, session: Session, job_id: str, ordinal: int) -> Place:
        if self.sort not in _KINDS:
            return Place(ordinal)
        value = select(_COLUMNS[self.sort]).where(Photo.job_id == job_id, Photo.ordinal == ordinal)
        return Place(ordinal, session.scalar(value))

    def behind(
        self, session: Session, query: Select[Any], job_id: str, after: Place | None, most: int
    ) -> list[Row[Any]]:
        """`most` rows at most, from the first or from behind a place; the rest as of `page`."""
        ordinal = Photo.ordinal.desc() if self.reverse else Photo.ordinal
        column = _COLUMNS[self.sort]
        rows: list[Row[Any]] = []
        if after is None or after.value is not None or self.sort == "name":
            valued = query.where(column.is_not(None)) if column.nullable else query
            if after:
                value = self._name_at(session, job_id, after) if self.sort == "name" else after.value
                valued = valued.where(self._behind(tuple_(column, Photo.ordinal), (value, after.ordinal)))
                after = None
            by = column.desc() if self.reverse else column
            rows += session.execute(valued.order_by(by, ordinal).limit(most)).all()
        if column.nullable and len(rows) < most:
            # Apart: a condition on both would be met by no index.
            bare = query.where(column.is_(None))
            if after:
                bare = bare.where(self._behind(Photo.ordinal, after.ordinal))
            rows += session.execute(bare.order_by(ordinal).limit(most - len(rows))).all()
        return rows

    def _behind(self, column: Any, value: Any) -> Any:
        return column < value if self.reverse else column > value

    @staticmethod
    def _name_at(session: Session, job_id: str, place: Place) -> str:
        at = select(Photo.name_order).where(Photo.job_id == job_id, Photo.ordinal == place.ordinal)
        name = session.scalar(at)
        if name is None:
            raise bad_cursor()
        return name


AS_ADDED = Order()
