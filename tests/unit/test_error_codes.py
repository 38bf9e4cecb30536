"""Every code is raised somewhere, is written down, and has the status and the rows that it says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bench.error_codes import BenchCode
from docs import errors_page
from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import JOB_ERROR_CODES, PHOTO_ERROR_CODES, PROBLEM_CODES, Code
from nightshift.words.errors import AnyCode, Unreadable
from shared.settings import REPOSITORY
from tests.support.pages import assert_kept
from training.error_codes import TrainingCode

ENUMS: tuple[type[AnyCode], ...] = (Code, TrainingCode, BenchCode)
EVERY = [code for codes in ENUMS for code in codes]
PACKAGES = ("api", "bench", "migrations", "nightshift", "shared", "training", "worker")
OF_REQUESTS = ("api", "shared/queue", "shared/reads", "shared/operations")
"""What is raised there is, or may become, an answer."""
OF_PHOTOS = {"PhotoError.of", "Unreadable", "ArchiveBroken", "_refused"}


@cache
def _modules() -> dict[Path, ast.Module]:
    paths = (path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py"))
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def _code(node: ast.AST) -> AnyCode | None:
    match node:
        case ast.Attribute(value=ast.Name(id=enum), attr=name):
            return next((codes[name] for codes in ENUMS if codes.__name__ == enum and name.isupper()), None)
    return None


def _used(node: ast.AST) -> Iterator[AnyCode]:
    """Codes below a node, but for those that something is only compared with."""
    if isinstance(node, ast.Compare | ast.Set):
        return
    if code := _code(node):
        yield code
    for child in ast.iter_child_nodes(node):
        yield from _used(child)


def _calls() -> Iterator[tuple[Path, str, ast.Call]]:
    for path, module in _modules().items():
        for node in ast.walk(module):
            if isinstance(node, ast.Call):
                yield path, ast.unparse(node.func), node


def test_every_code_is_raised_somewhere() -> None:
    raised = {code for module in _modules().values() for code in _used(module)}

    assert set(EVERY) - raised == set()


def test_no_error_is_raised_with_a_word_that_is_no_code() -> None:
    kinds = {kind.__name__ for kind in _kinds()} | OF_PHOTOS | {"PhotoError"}
    bare = [
        f"{path}:{call.lineno}"
        for path, kind, call in _calls()
        if kind in kinds and call.args and isinstance(call.args[0], ast.Constant | ast.JoinedStr)
        if kind not in {"ArchiveBroken"}
    ]

    assert not bare


def _kinds() -> Iterator[type]:
    from nightshift.words import errors

    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.NightshiftError):
            yield kind


def test_what_a_photo_fails_with_is_a_code_of_photos() -> None:
    failing = {
        code
        for _, kind, call in _calls()
        if kind in OF_PHOTOS
        for code in map(_code, call.args)
        if code is not None
    }

    assert failing
    assert failing <= PHOTO_ERROR_CODES


def test_what_a_request_may_meet_has_a_status() -> None:
    kinds = {kind.__name__ for kind in _kinds()} - {Unreadable.__name__}
    met = {
        code
        for path, kind, call in _calls()
        if kind in kinds and path.relative_to(REPOSITORY).as_posix().startswith(OF_REQUESTS)
        for code in map(_code, call.args)
        if code is not None
    }

    assert met
    assert met <= PROBLEM_CODES


@pytest.mark.parametrize("code", EVERY)
def test_a_code_is_called_as_it_is_written(code: AnyCode) -> None:
    assert code.value == code.name.lower()
    assert f"{code}" == code.value


def test_no_two_enums_share_a_code() -> None:
    assert len({code.value for code in EVERY}) == len(EVERY)


@pytest.mark.parametrize("codes", ENUMS)
def test_every_code_says_what_it_means_and_what_to_do(codes: type[AnyCode]) -> None:
    explained = errors_page.explained(codes)

    assert set(explained) == set(codes)
    for code, sentences in explained.items():
        assert all(sentence.endswith((".", "?", "`")) and "|" not in sentence for sentence in sentences), code


def test_a_row_is_retryable_as_its_code_says_or_the_caller() -> None:
    assert PhotoError.of(Code.TIMEOUT, "queue", "").retryable
    assert not PhotoError.of(Code.CORRUPT_IMAGE, "decode", "").retryable
    assert not PhotoError.of(Code.INTERNAL, "decode", "", retryable=False).retryable


def test_what_a_job_is_ended_with_is_a_code_of_jobs() -> None:
    written = {
        _code(value)
        for path, module in _modules().items()
        if path.is_relative_to(REPOSITORY / "shared" / "queue")
        for node in ast.walk(module)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "code"
    }

    assert written == JOB_ERROR_CODES


def test_the_page_is_up_to_date_and_a_page_that_is_behind_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_kept(errors_page, "PAGE", tmp_path, monkeypatch, ("`job_sealed`", "`job_shut`"))
