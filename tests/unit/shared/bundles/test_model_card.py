"""A bundle's card has all that its manifest says, whatever that is, and names what it does not say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict, NotFound
from nightshift.words.model_card import CardPart, ModelCard
from shared.bundles.listing import list_bundles, look_at
from shared.bundles.manifest import MANIFEST
from shared.reads.model_cards import MOST_LINES, card, card_named
from shared.settings import REPOSITORY
from tests.support.bundles_made import make_bare_bundle, make_bundle


def card_of(folder: Path) -> ModelCard:
    return card(look_at(folder, False))


def test_the_default_weights_say_everything() -> None:
    shown = card_of(REPOSITORY / "weights" / "faces-mobilenet")
    assert shown.not_said == []
    assert [file.name for file in shown.files] == ["model.safetensors", "int8.safetensors"]
    everybody, *parts = shown.measured
    assert (everybody.on, everybody.by, everybody.faces, everybody.gender) == (
        "validation",
        None,
        1201,
        0.9359,
    )
    assert {part.by for part in parts} == {"gender", "age_group", "race"}
    for by in ("gender", "age_group", "race"):
        assert sum(part.faces or 0 for part in parts if part.by == by) == 1201
    [youngest] = [part for part in parts if part.group == "0-4"]
    assert (youngest.faces, youngest.gender) == (117, 0.5812)
    assert shown.thresholds and shown.thresholds.gender == 0.54
    assert shown.gender_uncertain_at == ["0-4"]
    assert shown.calibration.age_group.within == 1 and shown.calibration.gender.certain == 0.9026
    assert shown.eight_bits and (shown.eight_bits.gender, shown.eight_bits.faces) == (0.9992, 1201)
    assert ("recipe.stages", "224:4") in [(line.about, line.text) for line in shown.training]
    assert [line.about for line in shown.remarks] == ["metrics.validation", "calibration"]


def test_the_numbers_by_group_are_those_of_the_model_card() -> None:
    measured = json.loads((REPOSITORY / "docs" / "model-card" / "evaluation.json").read_text())
    shown = card_of(REPOSITORY / "weights" / "faces-mobilenet")
    assert shown.sha256 == measured["bundle_sha256"]
    for part in shown.measured[1:]:
        scores = measured[f"by_{part.by}"][part.group]
        values = [scores[name]["value"] for name in ("gender", "age_group", "near", "years")]
        assert [part.gender, part.age8, part.near, part.mae] == values


def test_a_bare_one_shows_what_it_has_and_says_what_it_does_not(tmp_path: Path) -> None:
    shown = card_of(make_bare_bundle(tmp_path / "bare"))
    assert shown.error is None and shown.architecture and shown.input_size
    assert shown.not_said == [*get_args(CardPart)]
    assert (shown.licence, shown.commercial_use and shown.commercial_use.allowed) == ("not said", "unknown")
    assert [*shown.measured, *shown.training, *shown.notices, *shown.remarks] == []
    assert shown.thresholds and (shown.thresholds.gender, shown.thresholds.crop_size_px) == (0.75, 32)
    assert (shown.eight_bits, shown.calibration.gender.certain) == (None, None)


@pytest.mark.parametrize("odd", [7, "text", [1, [2, {}]], {"validation": 3}, {"a": {"gender": "much"}}, None])
@pytest.mark.parametrize("field", ["metrics", "calibration", "training", "notices"])
def test_what_nothing_runs_by_may_be_anything(tmp_path: Path, field: str, odd: Any) -> None:
    shown = card_of(make_bundle(tmp_path / "odd", **{field: odd}))
    assert shown.error is None
    assert shown.measured == []
    ModelCard.model_validate_json(shown.model_dump_json())


def test_texts_come_as_they_are_and_whole_where_they_must_go_along(tmp_path: Path) -> None:
    markup, licence = "<img src=x onerror=alert(1)>", "Permission is granted. " * 500
    folder = make_bundle(
        tmp_path / "b",
        training={"data": markup, "half": "\ud800", "list": ["a", 1, None], "parts": [{"n": True}]},
        notices={"LICENSE": licence},
    )
    shown = card_of(folder)
    assert [(line.about, line.text) for line in shown.training] == [
        ("data", markup),
        ("half", "\\ud800"),
        ("list", "a, 1, null"),
        ("parts.1.n", "true"),
    ]
    assert [(line.about, line.text) for line in shown.notices] == [("LICENSE", licence)]
    shown.model_dump_json()


def test_a_stranger_cannot_make_it_endless(tmp_path: Path) -> None:
    deep = json.loads('{"n":' * 400 + "1" + "}" * 400)
    folder = make_bundle(tmp_path / "deep", training=deep)
    [line] = card_of(folder).training
    assert (line.text, len(line.about) < 300) == ("1", True)
    wide = make_bundle(
        tmp_path / "wide",
        training={str(n): n for n in range(20_000)},
        metrics={"validation": {"by": {"age_group": {str(n): {"gender": 1} for n in range(5000)}}}},
    )
    shown = card_of(wide)
    assert len(shown.training) == MOST_LINES and len(shown.measured) == MOST_LINES


def test_numbers_that_are_none_are_left_out(tmp_path: Path) -> None:
    told = {"gender": float("nan"), "age8": True, "near": "0.9", "mae": 4, "chips": -1}
    [measured] = card_of(make_bundle(tmp_path / "b", metrics={"test": told})).measured
    assert (measured.on, measured.mae) == ("test", 4.0)
    assert (measured.gender, measured.age8, measured.near, measured.faces) == (None, None, None, None)


def test_of_a_broken_one_it_says_what_is_wrong(tmp_path: Path) -> None:
    folder = make_bundle(tmp_path / "b")
    (folder / MANIFEST).write_text("{")
    shown = card_of(folder)
    assert shown.error is not None and shown.error.code == "bundle_format"
    assert (shown.name, shown.thresholds, shown.not_said) == ("b", None, [])


def test_two_of_one_name_are_told_apart(tmp_path: Path) -> None:
    make_bundle(tmp_path / "weights" / "a", tensors=b"here")
    used = make_bundle(tmp_path / "elsewhere" / "a", tensors=b"there")
    listed = list_bundles(tmp_path / "weights", used)
    with pytest.raises(Conflict) as ambiguous:
        card_named(listed, "a")
    assert ambiguous.value.code == Code.MODEL_AMBIGUOUS
    mine, others = card_named(listed, "a", in_use=True), card_named(listed, "a", in_use=False)
    assert (mine.in_use, others.in_use) == (True, False) and mine.sha256 != others.sha256
    with pytest.raises(NotFound) as missing:
        card_named(listed, "b")
    assert missing.value.code == Code.MODEL_NOT_FOUND
