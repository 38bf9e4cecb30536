"""What is wrong with a value, in words of ours: those of the library that checks it are for programmers."""

from __future__ import annotations

from typing import Any

SHA256_HEX = "^[0-9a-f]{64}$"
RATE = r"^([1-9]\d*/(second|minute|hour))?$"
DEVICE = r"^(auto|cpu|cuda(:\d+)?)$"
PLACE = r"^([A-Za-z0-9_/?=&%.+~-]*)$"

_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "finite_number": "must be a number that is finite",
    "int_from_float": "must be a whole number",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "string_too_long": "must have {max_length} {things} at most",
    "string_too_short": "must have {min_length} {things} at least",
    "string_pattern_mismatch": "must be {pattern}",
    # The one that pydantic has of the names in an object.
    "string_unicode": "a name in it holds half a surrogate pair",
    "too_long": "must have {max_length} {things} at most",
    "too_short": "must have {min_length} {things} at least",
}
_KINDS = {
    "int": "must be a whole number",
    "float": "must be a number",
    "decimal": "must be a number",
    "bool": "must be true or false",
    "string": "must be text",
    "dict": "must be an object with names and values",
    "model": "must be an object with names and values",
    "list": "must be a list",
    "path": "must be a path",
    "datetime": "must be a time with its zone, such as 2026-12-24T06:00:00Z",
    "timezone": "must be a time with its zone, such as 2026-12-24T06:00:00Z",
    "json": "must be JSON",
    "url": "must be a URL",
}


def wrong(found: Any) -> str:
    """The sentence for one of pydantic's findings (`ErrorDetails`), without its subject: `must be ...`."""
    kind, context = found["type"], found.get("ctx", {})
    if kind == "value_error":
        # Ours, with two words of pydantic's before it.
        return str(context.get("error", found["msg"]))
    if sentence := _SENTENCES.get(kind):
        one = 1 in (context.get("min_length"), context.get("max_length"))
        things = "character" if isinstance(found.get("input"), str) else "entr"
        ending = {"character": ("", "s"), "entr": ("y", "ies")}[things][not one]
        said = {name: _in_words(value) for name, value in context.items()}
        return sentence.format_map(said | {"things": things + ending})
    return _KINDS.get(kind.partition("_")[0], "is not what it should be")


_PATTERNS = {
    SHA256_HEX: "64 hex digits, in small letters",
    RATE: "a number a second, minute or hour, such as 6000/minute, or empty",
    DEVICE: "auto, cpu, cuda, or one of several such as cuda:1",
    PLACE: "a place on the page: letters, digits, and _/?=&%.+~-",
}
"""Patterns as one would say them."""


def _in_words(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    # `^(A|B)$` says which there are.
    text = str(value)
    if text in _PATTERNS:
        return _PATTERNS[text]
    is_choice = text.startswith("^(") and text.endswith(")$")
    return " or ".join(text[2:-2].split("|")) if is_choice else text
