from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightshift.words.plain_text import counted, plain, plain_lines, shortened


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("IMG_0001.JPG", "IMG_0001.JPG"),
        ("Zoë 写真 👩‍👩‍👧 a\u202fb\xa0c", "Zoë 写真 👩‍👩‍👧 a\u202fb\xa0c"),
        ("\x1b[2J\x1b]0;x\x07", "\\x1b[2J\\x1b]0;x\\x07"),
        ("a\r\nb\tc\x0b\x0c\x7f\x00", "a\\r\\nb\\tc\\x0b\\x0c\\x7f\\x00"),
        ("\x9b31m\x85", "\\x9b31m\\x85"),
        ("photo\u202egpj.exe\u2066\u200f\u061c", "photo\\u202egpj.exe\\u2066\\u200f\\u061c"),
        ("a\u2028b\u2029\ufeff\U000e0041\ue000", "a\\u2028b\\u2029\\ufeff\\U000e0041\\ue000"),
        ("\udcff\ud800", "\\xff\\ud800"),
        (ValueError("a\nb"), "a\\nb"),
    ],
)
def test_what_steers_is_escaped_and_all_else_stays(text: object, shown: str) -> None:
    assert plain(text) == shown


@given(st.text(st.characters(), max_size=200))
def test_nothing_that_steers_is_left(text: str) -> None:
    for shown in (plain(text), plain(text, "?")):
        assert not any(unicodedata.category(char) in {"Cc", "Cs", "Co", "Zl", "Zp"} for char in shown)
        assert not any(unicodedata.category(char) == "Cf" and char not in "\u200c\u200d" for char in shown)
        shown.encode()
    assert plain_lines(text).count("\n") == text.count("\n")


def test_what_is_long_is_cut_in_its_middle_and_lists_at_their_ends() -> None:
    text = shortened("a" * 5000 + "b" * 5000)
    assert text == "a" * 1000 + " ... " + "b" * 1000
    assert shortened({"c" * 9000: ["d" * 9000, 1, None], "e": {"f": ("g",)}}) == {
        "c" * 1000 + " ... " + "c" * 1000: ["d" * 1000 + " ... " + "d" * 1000, 1, None],
        "e": {"f": ["g"]},
    }
    assert shortened(list(range(5000))) == list(range(100))
    assert shortened("short") == "short"


def test_one_has_no_plural() -> None:
    assert [counted(number, "photo") for number in (0, 1, 2, 1200)] == [
        "0 photos",
        "1 photo",
        "2 photos",
        "1,200 photos",
    ]
    assert [counted(number, "process", "processes") for number in (1, 2)] == ["1 process", "2 processes"]
