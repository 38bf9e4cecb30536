"""faces of which the detector is less sure than the job asks for"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("photos", sa.Column("low_confidence_faces", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("photos", "low_confidence_faces")
