"""what photos are sorted and sought by, alike on both databases; the trace that a job is part of"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from nightshift.words.photo_names import folded, in_order

revision = "0014"
down_revision = "0013"

BY_CODE_POINTS = sa.String().with_variant(sa.String(collation="C"), "postgresql")
NUMBER = sa.Float(53)
PHOTOS = sa.table(
    "photos",
    *(sa.column(name, sa.String()) for name in ("id", "custom_id", "folded_name", "name_order")),
    sa.column("sureness", NUMBER),
)
FACES = sa.table(
    "faces",
    sa.column("photo_id", sa.String()),
    sa.column("document", sa.JSON()),
    sa.column("sharpness", NUMBER),
)
AT_ONCE = 1000
ORDERS = {"name": "name_order", "time": "taken_at", "faces": "face_count", "sureness": "sureness"}


def upgrade() -> None:
    op.add_column("jobs", sa.Column("traceparent", sa.String()))
    for name in ("folded_name", "name_order"):
        op.add_column("photos", sa.Column(name, BY_CODE_POINTS, nullable=False, server_default=""))
    op.add_column("photos", sa.Column("sureness", NUMBER))
    op.add_column("faces", sa.Column("sharpness", NUMBER))
    _taken_at("C")
    _name()
    document = FACES.c.document
    op.execute(FACES.update().values(sharpness=document["quality"]["sharpness"].as_float()))
    # `nightshift.words.sureness`, of two genders and eight age groups.
    gender = 2 * document["gender"]["probability"].as_float() - 1
    age = (8 * document["age_group"]["probability"].as_float() - 1) / 7
    least = sa.select(sa.func.min(sa.case((gender < age, gender), else_=age)))
    op.execute(
        PHOTOS.update().values(sureness=least.where(FACES.c.photo_id == PHOTOS.c.id).scalar_subquery())
    )
    for name, column in ORDERS.items():
        op.create_index(f"ix_photos_by_{name}", "photos", ["job_id", column, "ordinal"])


def _name() -> None:
    connection, last = op.get_bind(), ""
    named = sa.select(PHOTOS.c.id, PHOTOS.c.custom_id).order_by(PHOTOS.c.id).limit(AT_ONCE)
    name = PHOTOS.update().where(PHOTOS.c.id == sa.bindparam("of"))
    while rows := connection.execute(named.where(PHOTOS.c.id > last)).all():
        values = [
            {"of": row.id, "folded_name": folded(row.custom_id), "name_order": in_order(row.custom_id)}
            for row in rows
        ]
        connection.execute(name, values)
        last = rows[-1].id


def _taken_at(collation: str | None) -> None:
    # SQLite's text has no other order.
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("photos", "taken_at", type_=sa.String(collation=collation))


def downgrade() -> None:
    for name in ORDERS:
        op.drop_index(f"ix_photos_by_{name}", "photos")
    op.drop_column("jobs", "traceparent")
    _taken_at("default")
    op.drop_column("faces", "sharpness")
    for name in ("sureness", "name_order", "folded_name"):
        op.drop_column("photos", name)
