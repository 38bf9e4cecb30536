"""where a photo stands among those of its job, though they come in another order"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

PHOTOS = sa.table("photos", sa.column("ordinal", sa.BigInteger()), sa.column("place", sa.BigInteger()))


def upgrade() -> None:
    op.add_column("photos", sa.Column("place", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(PHOTOS.update().values(place=PHOTOS.c.ordinal))
    op.create_index("ix_photos_by_place", "photos", ["job_id", "place", "ordinal"])


def downgrade() -> None:
    op.drop_index("ix_photos_by_place", "photos")
    op.drop_column("photos", "place")
