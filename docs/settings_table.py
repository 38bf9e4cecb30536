"""Writes the tables of settings and job options into README.md, from the classes that read them.

`python -m docs.settings_table` rewrites what lies between the markers; with `--check` it only says
whether that is up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from docs.generated import README, between
from nightshift.words.options import JobOptions
from shared.settings import REPOSITORY, Settings

BY = "docs/settings_table.py"


def settings_table() -> str:
    """One row a setting."""
    return _table("Variable", Settings, "NIGHTSHIFT_")


def options_table() -> str:
    """One row an option of a job."""
    return _table("Option", JobOptions, "")


def updated(readme: str) -> str:
    """The README with both tables as they should be."""
    with_settings = between(readme, "settings", settings_table(), BY)
    return between(with_settings, "options", options_table(), BY)


def _table(title: str, model: type[BaseModel], prefix: str) -> str:
    rows = [f"| {title} | Default | Meaning |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        shown = prefix + name.upper() if prefix else name
        meaning = f"{field.description}"
        if model is Settings and name in JobOptions.model_fields:
            meaning = f"Default of the job option `{name}`: {meaning}"
        rows.append(f"| `{shown}` | {_default(field)} | {meaning} |")
    return "\n".join(rows)


def _default(field: FieldInfo) -> str:
    value = field.get_default()
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Path) and value.is_relative_to(REPOSITORY):
        return f"`{value.relative_to(REPOSITORY)}` of the repository"
    if isinstance(value, bool):
        value = str(value).lower()
    return "" if value == "" else f"`{value}`"


def main() -> int:
    """0 when README.md is, or has been made, up to date."""
    readme = README.read_text(encoding="utf-8")
    wanted = updated(readme)
    if wanted == readme:
        return 0
    if "--check" in sys.argv[1:]:
        print("README.md is behind shared/: run `python -m docs.settings_table`", file=sys.stderr)  # noqa: T201
        return 1
    README.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
