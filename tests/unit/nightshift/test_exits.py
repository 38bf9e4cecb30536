import pytest
import typer

from nightshift.errors import ApiError, Unreachable
from nightshift.exits import (
    Exit,
    exit_for_error,
    exit_for_outcome,
    exit_table,
    one_line,
    reporting_errors,
)
from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict, InvalidInput, ModelUnavailable, NightshiftError
from nightshift.words.states import Outcome


def test_every_code_has_a_meaning_and_a_line() -> None:
    assert all(code.meaning and f"{code.value:>4}  {code.meaning}" in exit_table() for code in Exit)


def test_every_outcome_has_a_code() -> None:
    codes = {outcome.value: exit_for_outcome(outcome) for outcome in Outcome}
    assert codes == {"succeeded": 0, "partial": 3, "failed": 4, "cancelled": 5, "expired": 5}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput(Code.NO_PHOTOS, ""), 2),
        (ApiError(404, "job_not_found", ""), 2),
        (ApiError(503, "database_unavailable", ""), 6),
        (Unreachable(""), 6),
        (ModelUnavailable(Code.BUNDLE_FORMAT, ""), 6),
        (ModelUnavailable(Code.BUNDLE_NOT_FOUND, ""), 2),
        (NightshiftError(Code.SERVICE_FAILED, ""), 6),
        (Conflict(Code.HOME_IN_USE, ""), 7),
        (Conflict(Code.BUNDLE_EXISTS, ""), 2),
    ],
)
def test_errors_become_codes(error: Exception, code: int) -> None:
    assert exit_for_error(error) == code


def test_an_expected_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    @reporting_errors
    def command() -> None:
        raise InvalidInput(Code.NO_PHOTOS, "no photos in /x")

    with pytest.raises(typer.Exit) as ended:
        command()
    assert ended.value.exit_code == Exit.USAGE
    assert capsys.readouterr().err == "nightshift: no photos in /x (no_photos)\n"


def test_a_bug_keeps_its_traceback() -> None:
    @reporting_errors
    def command() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command()


def test_a_strangers_text_is_one_line_that_steers_nothing() -> None:
    assert one_line("a\n b\t\x1b[31mc\u202e") == "a b ?[31mc?"
