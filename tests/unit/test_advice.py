"""No text of ours sends anybody to a package index for Nightshift: that name is somebody else's there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from nightshift.exits import explaining_what_is_not_installed, how_to_install
from shared.settings import REPOSITORY

BY_NAME = re.compile(
    r"\b(?:pip3?|pipx|uv(?:\s+pip|\s+tool)?|uvx|poetry|pdm|conda|easy_install)\b[^\n`]{0,60}?"
    r"\b(?:install|add|run)\b[^\n`]{0,80}?(?<![\w./-])['\"]?nightshift(?:\[|['\"\s=<>~!`)]|$)",
    re.IGNORECASE | re.MULTILINE,
)
KINDS = {".py", ".md", ".yml", ".yaml", ".toml", ".txt", ".html", ".js", ".sh", ".cfg", ".mako", ""}


def texts() -> dict[str, str]:
    """Every text of the repository but tests, which name what must not be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    names = listed.stdout.splitlines() or [
        str(path.relative_to(REPOSITORY)) for path in REPOSITORY.glob("[!.]*/**/*") if path.is_file()
    ]
    wanted = [name for name in names if Path(name).suffix in KINDS and not name.startswith("tests/")]
    return {
        name: (REPOSITORY / name).read_text(encoding="utf-8", errors="replace")
        for name in wanted
        if (REPOSITORY / name).is_file()
    }


def test_nobody_is_told_to_install_it_by_name() -> None:
    found = texts()
    assert {"README.md", "nightshift/exits.py", "Makefile"} <= set(found)
    advice = {name: BY_NAME.findall(text) for name, text in found.items() if BY_NAME.search(text)}
    assert not advice


@pytest.mark.parametrize(
    "text",
    [
        "pip install 'nightshift[all]'",
        "pip install nightshift",
        "python -m pip install --upgrade nightshift",
        "pipx install nightshift[api]",
        "uv pip install nightshift==1.0",
        "uv tool install nightshift",
        'pip3 install -U "nightshift"',
    ],
)
def test_it_would_be_found(text: str) -> None:
    assert BY_NAME.search(f"do this: {text} (now)")


@pytest.mark.parametrize(
    "text", ["pip install '.[all]'", "pip install -c constraints.txt ./nightshift", "nightshift run"]
)
def test_a_checkout_is_ours(text: str) -> None:
    assert not BY_NAME.search(text)


def test_the_command_names_the_checkout(capsys: pytest.CaptureFixture[str]) -> None:
    import typer

    with pytest.raises(typer.Exit), explaining_what_is_not_installed():
        raise ImportError("no module named flask")
    said = capsys.readouterr().err
    assert how_to_install("all") in said
    assert "make serve" in said
    assert not BY_NAME.search(said)
