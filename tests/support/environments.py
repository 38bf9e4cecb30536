"""Environments that have what this one has, but for some packages."""

from __future__ import annotations

import site
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.settings import REPOSITORY


def environment_without(folder: Path, packages: Sequence[str]) -> Path:
    """Make a virtual environment over this one in whose processes packages cannot be imported.

    Returns:
        Its folder of programs, with `python` and `nightshift`.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    # A line of a .pth file that begins with `import` is run at the start of each process. A module that is
    # None is not found, and importing it raises.
    hidden = "; ".join(f"sys.modules[{name!r}] = None" for name in packages)
    known = [
        str(REPOSITORY),
        *site.getsitepackages(),
        *(path for path in sys.path if "site-packages" in path),
    ]
    adding = (f"import site; site.addsitedir({path!r})" for path in dict.fromkeys(known))
    lines = [f"import sys; {hidden}", *adding]
    (package_folder,) = folder.glob("lib/python*/site-packages")
    (package_folder / "packages.pth").write_text("\n".join(lines) + "\n")
    command = folder / "bin" / "nightshift"
    command.write_text(f"#!{folder / 'bin' / 'python'}\nfrom nightshift.cli import app\napp()\n")
    command.chmod(0o755)
    return folder / "bin"
