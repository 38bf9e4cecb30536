"""Writes the tables of settings and job options into docs/settings.md, from the classes that read them.

`python -m docs.settings_table` rewrites what lies between the markers; with `--check` it only says
whether that is up to date.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from docs.generated import SETTINGS_PAGE, between, keep
from nightshift.words.options import JobOptions
from shared.settings import REPOSITORY, Settings
from shared.sign_in_settings import SignInSettings

BY = "docs/settings_table.py"


def settings_table() -> str:
    """One row a setting."""
    return _table("Variable", Settings, "NIGHTSHIFT_")


def options_table() -> str:
    """One row an option of a job."""
    return _table("Option", JobOptions, "")


def updated(page: str) -> str:
    """The page with both tables as they should be."""
    with_settings = between(page, "settings", settings_table(), BY)
    return between(with_settings, "options", options_table(), BY)


def _table(title: str, model: type[BaseModel], prefix: str) -> str:
    rows = [f"| {title} | Default | Meaning |", "|---|---|---|"]
    # What is inherited comes last.
    inherited = SignInSettings.model_fields if model is Settings else {}
    for name, field in sorted(model.model_fields.items(), key=lambda item: item[0] in inherited):
        shown = prefix + name.upper() if prefix else name
        meaning = " ".join(f"{field.description}".split())
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
    """0 when docs/settings.md is, or has been made, up to date."""
    return keep(SETTINGS_PAGE, updated, BY)


if __name__ == "__main__":
    raise SystemExit(main())
