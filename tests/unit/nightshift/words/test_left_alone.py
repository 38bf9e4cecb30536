from __future__ import annotations

from nightshift.words.left_alone import by_kind, in_full, in_short, what_to_do
from nightshift.words.pairs import RAW_LEFT
from nightshift.words.what_is_taken import PREVIEWS

LEFT = {".txt": 9, ".mov": 1, ".mp4": 2, ".pdf": 1, "hidden": 1, RAW_LEFT: 3, "of a system": 2}


def test_what_a_photographer_misses_comes_first_and_is_told_with_what_to_do() -> None:
    lines = what_to_do(LEFT)
    assert [line.partition(":")[0] for line in lines] == [
        f"3 {RAW_LEFT}",
        "3 videos (.mov, .mp4)",
        "1 document (.pdf)",
        "1 hidden photo",
    ]
    assert all(line.partition(": ")[2] for line in lines)


def test_the_rest_is_told_in_full_without_advice() -> None:
    assert in_full(LEFT)[:-1] == what_to_do(LEFT)
    assert in_full(LEFT)[-1] == "2 files or folders of a system, 9 .txt"
    assert in_full({}) == []


def test_in_short_four_kinds_are_named() -> None:
    assert in_short(LEFT).startswith(f" (19 other files left alone: 3 {RAW_LEFT}, 3 videos, 1 document,")
    assert in_short({".mov": 1}) == " (1 other file left alone: 1 video)"
    assert in_short({PREVIEWS: 1}) == " (1 other file left alone: 1 preview of a photo library)"
    assert in_short({}) == ""


def test_a_script_has_every_file_under_one_kind() -> None:
    numbers = by_kind(LEFT)
    assert numbers == {"raw": 3, "videos": 3, "documents": 1, "hidden": 1, "system": 2, "others": 9}
    assert by_kind({}) == {}
