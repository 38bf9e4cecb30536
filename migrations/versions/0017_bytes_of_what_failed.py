"""an index of the bytes that an owner has sent and that were not analysed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

DID_NOT_SUCCEED = sa.text("status IN ('failed', 'cancelled')")


def upgrade() -> None:
    op.create_index(
        "ix_photos_kept",
        "photos",
        ["owner", "sha256"],
        sqlite_where=DID_NOT_SUCCEED,
        postgresql_where=DID_NOT_SUCCEED,
    )


def downgrade() -> None:
    op.drop_index("ix_photos_kept", "photos")
