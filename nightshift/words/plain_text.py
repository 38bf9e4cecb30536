"""Strangers' text where it is shown: on a terminal, in a log. It says what it says, and steers nothing.

Names, labels, messages and answers may hold escape sequences, line ends that forge a line of ours, and signs
that turn the direction of what follows. What is no visible character is written as its escape, as in Python.
"""

from __future__ import annotations

import unicodedata
from itertools import islice
from typing import Any

LONGEST_TEXT, LONGEST_LIST = 2000, 100
"""Characters, and entries, of what strangers wrote that an answer or a line of a log says again. The longest
name of a photo fits twice."""

_STEERING = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Categories of control, format, surrogate and private characters, and the two Unicode line ends."""
_JOINERS = "\u200c\u200d"
"""Of the format characters, those that only join letters or emoji."""


def plain(text: object, instead: str | None = None) -> str:
    """The text as visible characters in one line.

    Args:
        text: anything; its `str`.
        instead: what stands for a character that is not shown; None for its escape, such as `\\x1b`.
    """
    said = str(text)
    if said.isprintable():
        return said
    return "".join(_shown(character, instead) for character in said)


def plain_lines(text: object) -> str:
    """The same in as many lines as it has, for what was put into lines on purpose."""
    return "\n".join(plain(line) for line in str(text).split("\n"))


def counted(number: int, thing: str, things: str = "") -> str:
    """Such as `1 photo` and `1,200 photos`; `things` where its plural has no plain s."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def shortened(said: Any) -> Any:
    """What is said, with long texts in it cut in their middles and long lists at their ends.

    Args:
        said: text, or what JSON may hold; anything else comes back as it is.
    """
    match said:
        case str() if len(said) > LONGEST_TEXT:
            half = LONGEST_TEXT // 2
            return f"{said[:half]} ... {said[-half:]}"
        case dict():
            return {shortened(name): shortened(value) for name, value in islice(said.items(), LONGEST_LIST)}
        case list() | tuple() | set() | frozenset():
            return [shortened(value) for value in islice(said, LONGEST_LIST)]
        case _:
            return said


def _shown(character: str, instead: str | None) -> str:
    if character.isprintable() or character in _JOINERS or unicodedata.category(character) not in _STEERING:
        return character
    if instead is not None:
        return instead
    if "\udc80" <= character <= "\udcff":
        # A byte of a file's name that is no UTF-8.
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
