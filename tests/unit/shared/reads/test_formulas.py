"""Cells that are no formula, whichever way a spreadsheet takes a file apart."""

from __future__ import annotations

import csv
import io
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nightshift.bundles.compared import _row
from nightshift.bundles.comparison import Difference
from shared.reads.table import csv_text, disarm, rearm
from tests.support.queue_rows import face
from tests.support.tables_made import photo, read_back

FORMULAS = [
    *(
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "  \t =1",
        '"=1',
        "'=1",
        "\"'=1",
        "''=1",
    ),
    *(
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20A1",
        "\ufe661",
        "\ufe621",
        "\ufe631",
        "\ufe6bA",
        "\u22121",
        "\u207a1",
    ),
    *(
        "a\n=1",
        "a\r\n=1",
        "a\r=1",
        "a\n\n  =1",
        'a\n"=1',
        "a;=1",
        "a; =1",
        'a;"=1',
        "a;'=1",
        ";;=1",
        "a;b;@x",
        "a\t=1",
    ),
    *(
        "a;\uff1d1",
        "\x01=1",
        "\u3000=1",
        "\xa0=1",
        "\ufeff=1",
        "\u200b=1",
        "a;\t=1",
        "\t\t=1",
        "=1;=2\n=3",
        "-",
        "=",
    ),
]
HARMLESS = [
    "a=b",
    "'a",
    "",
    "0-4",
    "65+",
    "ä",
    "party - 2.jpg",
    "a;b",
    "a; b-1",
    "mail@home",
    "Smith, -John.jpg",
    "x\ty",
]

texts = st.lists(
    st.one_of(
        st.sampled_from([*"=+-@;\t\r\n\"' a", "\uff1d", "\uff0d", "\u3000"]),
        st.characters(exclude_characters="\x00", exclude_categories=["Cs"]),
    ),
    max_size=12,
).map("".join)


def parts_of(text: str) -> list[str]:
    """What becomes cells to programs that split at commas, semicolons or tabs, heeding quotes or not."""
    parts = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    # A tab that a name begins with is guarded by the one apostrophe before it.
    for delimiter in ";" if ",'\t" in text else ";\t":
        parts += [
            cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) for cell in row
        ]
    for delimiters in (r"[\n\r]", r"[\n\r;]", r"[\n\r,]"):
        parts += re.split(delimiters, text)
    return parts


def is_formula(part: str) -> bool:
    begins = re.sub(r"^[\s\x00-\x20\u200b\ufeff\"]+", "", part)[:1]
    return unicodedata.normalize("NFKC", begins) in {"=", "+", "-", "@", "\u2212"}


@pytest.mark.parametrize("text", FORMULAS)
def test_what_could_be_a_formula_is_disarmed_and_comes_back(text: str) -> None:
    assert disarm(text) != text
    assert rearm(disarm(text)) == text
    assert not [part for part in parts_of(csv_text([["a", text, "b"]])) if is_formula(part)]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_none_stays(text: str) -> None:
    assert disarm(text) == rearm(text) == text


@given(texts)
@example("\t=x")
@example("'\t=x")
@example(";'=\n'-")
def test_every_text_comes_back_and_no_two_become_one(text: str) -> None:
    assert rearm(disarm(text)) == text
    assert disarm(disarm(text)) == disarm(text) or rearm(disarm(disarm(text))) == disarm(text)


@given(st.lists(texts.filter(lambda text: "," not in text and text[:1] != "\t"), min_size=1, max_size=4))
def test_no_way_of_splitting_finds_a_formula(cells: list[str]) -> None:
    written = csv_text([cells])
    assert [rearm(cell) for cell in read_back(written)[0]] == cells
    assert not [part for part in parts_of(written) if is_formula(part)], ascii(written)


def test_both_tables_go_by_the_rule() -> None:
    name = "a;=HYPERLINK(1)\n\uff1d1"
    difference = csv_text([_row(Difference(name, face(), face()))])
    assert read_back(difference)[0][0] == disarm(name)
    from shared.reads.table import rows_of

    assert read_back(csv_text(rows_of(photo(name))))[0][0] == disarm(name)
