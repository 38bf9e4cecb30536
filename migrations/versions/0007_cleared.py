"""whether the bytes that an ended job needs no more were deleted"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import TIME

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("cleared_at", TIME, nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "cleared_at")
