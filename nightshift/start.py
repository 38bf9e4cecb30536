"""Where the command begins: Ctrl-C ends it in order while its parts are still being read, too."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command, and end this process."""
    try:
        from nightshift.cli import app
    except KeyboardInterrupt:
        sys.stderr.write("nightshift: interrupted\n")
        sys.exit(130)
    # By `python -m`, too, which else is what every usage line would say.
    app(prog_name="nightshift")
