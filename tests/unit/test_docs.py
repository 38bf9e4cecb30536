"""What the documentation says is what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from docs import settings_table
from nightshift.exits import Exit
from nightshift.words.error_codes import PHOTO_ERROR_CODES
from nightshift.words.options import JobOptions
from nightshift.words.states import MOVES, JobState, Outcome, PhotoStatus
from shared.bundles.manifest import MANIFEST, locate_bundle, read_manifest
from shared.settings import REPOSITORY, Settings
from tests.support.pages import assert_kept
from training import card

README = REPOSITORY / "README.md"
TROUBLE = REPOSITORY / "docs" / "trouble.md"
WEIGHTS = REPOSITORY / "docs" / "weights.md"
ARCHITECTURE = REPOSITORY / "docs" / "architecture.md"
PAGES = [
    README,
    REPOSITORY / "CHANGELOG.md",
    REPOSITORY / "CONTRIBUTING.md",
    REPOSITORY / "SECURITY.md",
    REPOSITORY / "weights" / "README.md",
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]


def rows(text: str) -> list[list[str]]:
    """Cells of every table row in a Markdown text."""
    lines = (line for line in text.splitlines() if line.startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_moves_is_complete_and_right() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    table = text.partition("<!-- moves -->")[2].partition("<!-- /moves -->")[0]

    written = {name: (set(leaves.split(", ")), reaches) for name, leaves, reaches in rows(table)[2:]}

    assert written == {name: ({*map(str, move.leaves)}, str(move.reaches)) for name, move in MOVES.items()}


@pytest.mark.parametrize("word", [*JobState, *Outcome, *PhotoStatus])
def test_every_state_is_explained(word: str) -> None:
    assert re.search(rf"\b{word}\b", ARCHITECTURE.read_text(encoding="utf-8"))


def test_every_setting_and_option_is_explained() -> None:
    for model in (Settings, JobOptions):
        for name, field in model.model_fields.items():
            assert field.description, name


def test_no_table_says_where_the_repository_lies() -> None:
    assert str(REPOSITORY) not in settings_table.settings_table()


def test_generated_tables_are_up_to_date_and_mended_where_they_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit = ("NIGHTSHIFT_PORT", "NIGHTSHIFT_DOOR")
    assert_kept(settings_table, "SETTINGS_PAGE", tmp_path, monkeypatch, edit)


def test_every_exit_code_is_explained() -> None:
    section = TROUBLE.read_text(encoding="utf-8").partition("## Exit codes")[2].partition("\n## ")[0]

    assert [int(code) for code, _ in rows(section)[2:]] == [code.value for code in Exit]


def test_photo_error_codes_in_pages_for_users_exist() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES if "adr" not in page.parts)
    named = set(re.findall(r"(?:fails?|given up) as\s+`(\w+)`", text))

    assert named
    assert named <= PHOTO_ERROR_CODES


def test_accuracy_on_the_page_and_on_the_card_is_that_of_the_manifest() -> None:
    manifest = json.loads((REPOSITORY / "weights" / "faces-mobilenet" / MANIFEST).read_text(encoding="utf-8"))
    measured = manifest["metrics"]["validation"]
    section = WEIGHTS.read_text(encoding="utf-8").partition("## The shipped weights")[2].partition("\n## ")[0]

    numbers = [cells[1].partition(" (")[0] for cells in rows(section)[2:]]

    assert numbers == [
        *(f"{measured[name] * 100:.1f} %" for name in ("gender", "age8", "near")),
        f"{measured['mae']:.2f}",
    ]
    assert f"{measured['chips']:,} chips" in " ".join(section.split())
    assert f"{manifest['input']['size']} pixels" in " ".join(section.split())
    card.check(card.DOCS, REPOSITORY / "weights" / "faces-mobilenet")


def headings(page: Path) -> set[str]:
    """The anchors of a page, as forges make them of its headings."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            name, _, anchor = target.partition("#")
            place = page.parent / name if name else page
            assert place.exists(), target
            assert not anchor or anchor in headings(place), target


def test_decisions_are_numbered_and_whole() -> None:
    decisions = sorted((REPOSITORY / "docs" / "adr").glob("*.md"))

    assert decisions
    for number, decision in enumerate(decisions, start=1):
        text = decision.read_text(encoding="utf-8")
        assert decision.name.startswith(f"{number:04d}-")
        assert text.startswith(f"# {number}. ")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "Status",
            "Context",
            "Decision",
            "Consequences",
        ]


def test_the_readme_says_what_the_default_weights_were_trained_on() -> None:
    settings = Settings()
    reason = read_manifest(locate_bundle(settings.bundle, settings.weights_dir)).commercial_use.reason
    limits = README.read_text(encoding="utf-8").partition("## Limits")[2].partition("\n## ")[0]
    assert reason.partition(":")[0] in " ".join(limits.split())


def test_every_make_target_explains_itself() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony

    explained = re.findall(r"^([a-z-]+):.*## .+$", makefile, re.MULTILINE)

    assert sorted(explained) == sorted(phony[1].split())
