from __future__ import annotations

import threading
import time

import pytest

from api.probes import Probes


def test_answers_are_found_by_name_and_errors_left_out() -> None:
    def breaks() -> None:
        raise ZeroDivisionError

    found = Probes().ask({"one": lambda: 1, "broken": breaks, "none": lambda: None}, within_s=60)
    assert found == {"one": 1, "none": None}


def test_what_hangs_holds_up_the_first_who_asks_alone() -> None:
    probes, over, asked = Probes(), threading.Event(), []

    def hangs() -> bool:
        asked.append(1)
        return over.wait(60)

    questions = {"hangs": hangs, "well": lambda: "well"}
    assert probes.ask(questions, within_s=1.0) == {"well": "well"}
    begun_s = time.monotonic()
    for _ in range(30):
        assert probes.ask(questions, within_s=1.0) == {"well": "well"}
    assert time.monotonic() - begun_s < 15
    assert asked == [1]
    over.set()
    assert probes.ask(questions, within_s=60)["hangs"] is True


@pytest.mark.parametrize("value", [None, 0])
def test_an_empty_answer_is_an_answer(value: object) -> None:
    assert Probes().ask({"it": lambda: value}, within_s=60) == {"it": value}
