"""why each of a face's labels is uncertain, in place of whether one is"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

FACES = sa.table(
    "faces",
    *(sa.column(name, sa.String()) for name in ("gender_because", "age_group_because")),
    sa.column("uncertain", sa.Boolean()),
    sa.column("document", sa.JSON()),
)


def upgrade() -> None:
    for label in ("gender", "age_group"):
        op.add_column("faces", sa.Column(f"{label}_because", sa.String(), nullable=False, server_default=""))
        # So far a label was uncertain for one reason.
        uncertain = FACES.c.document[label]["uncertain"].as_boolean()
        op.execute(FACES.update().where(uncertain).values({f"{label}_because": "close_call"}))
    op.drop_column("faces", "uncertain")


def downgrade() -> None:
    op.add_column("faces", sa.Column("uncertain", sa.Boolean(), nullable=False, server_default=sa.false()))
    known = sa.or_(FACES.c.gender_because != "", FACES.c.age_group_because != "")
    op.execute(FACES.update().where(known).values(uncertain=True))
    for label in ("gender", "age_group"):
        op.drop_column("faces", f"{label}_because")
