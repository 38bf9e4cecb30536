from __future__ import annotations

import pytest

from nightshift.words.errors import InvalidInput
from nightshift.words.new_job import NewJob
from nightshift.words.wrong_values import wrong
from shared.settings import Settings, load_settings

OF_A_LIBRARY = ("Input", "Value error", "should", "unable to parse", "type=")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("port", "abc", "must be a whole number"),
        ("workers", "-1", "must be 0 or more"),
        ("workers", "1000", "must be 256 or less"),
        ("lease_s", "soon", "must be a number"),
        ("log_level", "loud", "must be DEBUG or INFO or WARNING or ERROR"),
        ("log_format", "xml", "must be 'text' or 'json'"),
        ("rate_limit", "banana", "must be a number a second, minute or hour, such as 6000/minute, or empty"),
        ("device", "gpu", "must be auto, cpu, cuda, or one of several such as cuda:1"),
    ],
)
def test_a_wrong_setting_is_told_in_words(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"NIGHTSHIFT_{name.upper()}", value)
    with pytest.raises(InvalidInput) as refused:
        load_settings()
    assert refused.value.message == f"NIGHTSHIFT_{name.upper()}: {said}"


def test_no_setting_tells_its_pattern() -> None:
    """What a regular expression means is said in words, or it is a choice of names."""
    for name, field in Settings.model_fields.items():
        for pattern in (found for each in field.metadata if (found := getattr(each, "pattern", None))):
            said = wrong({"type": "string_pattern_mismatch", "ctx": {"pattern": pattern}, "input": "x"})
            assert not set(said) & set("^$\\[]*|"), (name, said)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"label": "x" * 201}, "label: must have 200 characters at most"),
        ({"label": 3}, "label: must be text"),
        ({"lable": "x"}, "lable: is not known here"),
        ({"priority": 1.5}, "priority: must be a whole number"),
        ({"max_failure_rate": 2}, "max_failure_rate: must be 1 or less"),
        ({"options": {"reuse": 1}}, "options.reuse: must be true or false"),
        ({"options": 3}, "options: must be an object with names and values"),
        (
            {"processing_window": "22:00-06:00"},
            "processing_window: lacks its time zone, as in 22:00-06:00 Europe/Berlin",
        ),
        ({"processing_window": "x"}, "processing_window: must read like 22:00-06:00 Europe/Berlin"),
    ],
)
def test_a_wrong_wish_is_told_in_words(wish: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        NewJob.of(**wish)
    assert refused.value.message == said
    assert not any(word in refused.value.message for word in OF_A_LIBRARY)
