"""where a photo was found, when it was taken and with which camera"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

COLUMNS = ("root", "taken_at", "camera_make", "camera_model")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("photos", sa.Column(name, sa.String(), nullable=True))


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column("photos", name)
