"""what is kept: the sweepers' clock, what each owner holds, digests of Idempotency-Keys"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from migrations.columns import TIME, optional, required

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    clocks = op.create_table(
        "clocks",
        *required(sa.String(), "name"),
        *required(TIME, "believed_at", "seen_at"),
        *optional(TIME, "doubted_since"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_clocks")),
    )
    # The newest time that is known otherwise: the clock may be wrong just now.
    known = op.get_bind().execute(sa.text("SELECT max(created_at), max(ended_at) FROM jobs")).one()
    times = [time if isinstance(time, datetime) else datetime.fromisoformat(time) for time in known if time]
    newest = max((time.replace(tzinfo=time.tzinfo or UTC) for time in times), default=datetime.now(UTC))
    op.bulk_insert(clocks, [{"name": "expiry", "believed_at": newest, "seen_at": newest}])

    op.create_table(
        "holdings",
        *required(sa.String(), "owner"),
        *required(sa.BigInteger(), "photos", "size_bytes"),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_holdings")),
    )
    op.execute(HELD)

    op.create_index("ix_jobs_owner_state", "jobs", ["owner", "state"])
    op.create_index("ix_jobs_results_expire_at", "jobs", ["results_expire_at"])
    op.create_index("ix_uploads_job_id", "uploads", ["job_id"])
    _digest_keys()


HELD = """
INSERT INTO holdings (owner, photos, size_bytes)
SELECT owner, sum(photos), sum(size_bytes) FROM (
  SELECT photos.owner AS owner, count(*) AS photos,
    coalesce(sum(CASE WHEN photos.in_place_path IS NULL AND jobs.originals_deleted_at IS NULL
      THEN photos.size_bytes END), 0) AS size_bytes
  FROM photos JOIN jobs ON jobs.id = photos.job_id GROUP BY photos.owner
  UNION ALL
  SELECT jobs.owner, 0, sum(archives.size_bytes)
  FROM archives JOIN jobs ON jobs.id = archives.job_id WHERE archives.unpacked_at IS NULL GROUP BY jobs.owner
) AS held GROUP BY owner
"""


def _digest_keys() -> None:
    """A key that the client chose may say whose photos they were; those of our own begin with `upl_`."""
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT owner, key FROM uploads")).all()
    for owner, key in rows:
        if not key.startswith("upl_"):
            digest = hashlib.sha256(f"{owner}\n{key}".encode()).hexdigest()
            connection.execute(
                sa.text("UPDATE uploads SET key = :digest WHERE owner = :owner AND key = :key"),
                {"digest": digest, "owner": owner, "key": key},
            )


def downgrade() -> None:
    op.drop_index("ix_uploads_job_id", "uploads")
    op.drop_index("ix_jobs_results_expire_at", "jobs")
    op.drop_index("ix_jobs_owner_state", "jobs")
    op.drop_table("holdings")
    op.drop_table("clocks")
