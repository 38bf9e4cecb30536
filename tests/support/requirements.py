"""What a test needs of the machine it runs on, and what it means when that is missing.

Locally a test whose need is not met is skipped, with the reason in pytest's summary. Under
`CI=true` it fails: a run in which PostgreSQL never started must not look like one that passed.
Only needs that say `essential=False` (a GPU, say) may be skipped there, and the soak tests.
This module is a pytest plugin too: under `CI=true` it turns every other skip into a failure,
whoever asked for it and however.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import TypeVar

import pytest

OPTIONAL = "optional: "
"""How the reason of a skip begins that is allowed under CI."""

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def in_ci() -> bool:
    """True when nothing essential may be skipped."""
    return os.environ.get("CI", "").lower() in {"1", "true"}


def require(condition: object, reason: str, *, essential: bool = True) -> None:
    """Skip the running test, or the module being collected, unless `condition` holds; fail it under CI.

    Args:
        condition: whether the need is met.
        reason: what is missing, for a person.
        essential: False when CI machines need not have it.
    """
    if condition:
        return
    if essential and in_ci():
        pytest.fail(f"not skipped, because CI=true: {reason}", pytrace=False)
    pytest.skip(reason if essential else OPTIONAL + reason, allow_module_level=True)


def _judged(report: Report) -> Report:
    if not (report.skipped and in_ci()) or hasattr(report, "wasxfail"):
        return report
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not reason.removeprefix("Skipped: ").startswith(OPTIONAL):
        report.outcome = "failed"
        report.longrepr = f"{reason}\nCI=true allows no skip; see tests/support/requirements.py"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test's skip."""
    return _judged((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole module's skip."""
    return _judged((yield))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--soak`."""
    parser.addoption("--soak", action="store_true", help="run the long tests, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the soak tests unless they were asked for."""
    if config.getoption("--soak"):
        return
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.skip(reason=OPTIONAL + "a soak test, run by `make soak`"))
