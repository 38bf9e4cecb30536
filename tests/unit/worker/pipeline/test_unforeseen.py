"""What becomes of a photo where something is raised that nobody planned for."""

from __future__ import annotations

import logging

import pytest

from nightshift.words.analysis import PhotoError, Stage
from nightshift.words.error_codes import Code
from worker.pipeline.unforeseen import is_out_of_memory, photo_error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), True),  # torch.OutOfMemoryError is one
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
            True,
        ),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("shape mismatch"), False),
        (ValueError(), False),
    ],
)
def test_out_of_memory_is_told_from_other_errors(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


@pytest.mark.parametrize(
    ("stage", "isolated", "message"),
    [
        ("decode", False, "not enough memory to decode it"),
        ("detect", False, "not enough memory to analyse it"),
        ("classify", True, "not enough memory for this photo alone"),
    ],
)
def test_a_photo_may_be_tried_again_where_memory_was_short(
    stage: Stage, isolated: bool, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = photo_error(stage, MemoryError(), isolated=isolated)
    assert found == PhotoError(Code.OUT_OF_MEMORY, stage, message, retryable=True)
    assert not caplog.records


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError(), "ValueError"),
        (ValueError("x" * 500 + "\nmore"), f"ValueError: {'x' * 200}"),
    ],
)
def test_what_these_pixels_alone_raise_they_would_raise_again(error: Exception, message: str) -> None:
    found = photo_error("align", error, isolated=True)
    assert found == PhotoError(Code.INTERNAL, "align", message, retryable=False)


@pytest.mark.parametrize(("stage", "what"), [("decode", "decoding"), ("detect", "the analysis")])
def test_the_log_says_where_anything_else_broke_and_the_row_no_word_of_it(
    stage: Stage, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    error = ValueError("/srv/ana/holiday.jpg")
    found = photo_error(stage, error, job="job_1", photo="pho_1")
    message = f"{what} broke; the worker's log says where"
    assert found == PhotoError(Code.INTERNAL, stage, message, retryable=True)
    (line,) = caplog.records
    assert (line.levelno, line.message) == (logging.ERROR, f"{what} broke")
    assert (line.job, line.photo) == ("job_1", "pho_1")  # type: ignore[attr-defined]
    assert line.exc_info and line.exc_info[1] is error
