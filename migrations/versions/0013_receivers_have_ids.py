"""ids of receivers, whose URLs may not be shown"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from nightshift.words.ids import new_id

revision = "0013"
down_revision = "0012"

RECEIVERS = sa.table("receivers", *map(sa.column, ("owner", "url", "id")))


def upgrade() -> None:
    op.add_column("receivers", sa.Column("id", sa.String(), nullable=True))
    connection = op.get_bind()
    for owner, url in connection.execute(sa.select(RECEIVERS.c.owner, RECEIVERS.c.url)).all():
        row = sa.update(RECEIVERS).where(RECEIVERS.c.owner == owner, RECEIVERS.c.url == url)
        connection.execute(row.values(id=new_id("rcv")))
    with op.batch_alter_table("receivers") as receivers:
        receivers.alter_column("id", existing_type=sa.String(), nullable=False)
    op.create_index("ix_receivers_id", "receivers", ["id"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_receivers_id", "receivers")
    with op.batch_alter_table("receivers") as receivers:
        receivers.drop_column("id")
