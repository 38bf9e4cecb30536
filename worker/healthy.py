"""Whether workers, or the sweeper, of this machine live: `python -m worker.healthy worker`."""

from __future__ import annotations

import socket
import sys

from nightshift.words.errors import Transient
from shared.db.engine import Database
from shared.processes.registry import alive
from shared.settings import load_settings


def main() -> int:
    """0 when one was seen lately, 1 when none was or the database is away."""
    (kind,), host = sys.argv[1:], socket.gethostname()
    database = Database(load_settings().database_url)
    try:
        with database.read() as session:
            return 0 if any((row.kind, row.host) == (kind, host) for row in alive(session)) else 1
    except Transient:
        return 1


if __name__ == "__main__":
    sys.exit(main())
