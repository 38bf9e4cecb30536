"""The CI rule, on a pytest run of its own."""

from pathlib import Path

import pytest

import tests

pytest_plugins = ["pytester"]

TESTS = """
    import pytest
    from tests.support.requirements import require

    def test_met(): require(True, "never said")
    def test_essential(): require(False, "no such server")
    def test_optional(): require(False, "no GPU", essential=False)
    def test_own_skip(): pytest.skip("just so")

    @pytest.mark.xfail
    def test_expected_failure(): assert False

    @pytest.mark.soak
    def test_long(): pass
"""


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTHONPATH", str(Path(tests.__file__).parents[1]))
    pytester.makeini("[pytest]\nmarkers = soak: long\naddopts = -p tests.support.requirements")
    return pytester


def test_local_runs_skip(inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    inner.makepyfile(TESTS)

    outcome = inner.runpytest_subprocess("-rs")

    outcome.assert_outcomes(passed=1, skipped=4, xfailed=1)
    outcome.stdout.fnmatch_lines_random(["*no such server*", "*optional: no GPU*"])


def test_ci_fails_on_anything_essential(inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    inner.makepyfile(TESTS)

    outcome = inner.runpytest_subprocess("-rs")

    outcome.assert_outcomes(passed=1, skipped=2, failed=2, xfailed=1)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED


def test_ci_fails_on_a_skipped_module(inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    inner.makepyfile("import pytest\npytest.skip('whole module', allow_module_level=True)")

    outcome = inner.runpytest_subprocess()

    assert outcome.ret != pytest.ExitCode.OK
    outcome.stdout.fnmatch_lines(["*whole module*"])


def test_soak_tests_run_when_asked_for(inner: pytest.Pytester) -> None:
    inner.makepyfile(TESTS)

    inner.runpytest_subprocess("--soak", "-m", "soak").assert_outcomes(passed=1, deselected=5)
