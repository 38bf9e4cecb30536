"""Fixtures of every test, the rule that CI skips nothing essential, and cases that are the same each time."""

import os
from collections.abc import Iterator

import hypothesis
import pytest

import worker.pipeline  # noqa: F401 - how threads wait is set there, before torch is loaded

pytest_plugins = [
    "tests.support.requirements",
    "tests.support.databases",
    "tests.support.processes",
    "tests.support.stores",
]

# A commit must not fail over an old mistake that chance finds just then; `make soak` looks for new ones.
# Nor over how long an example takes on a busy machine.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--soak"):
        hypothesis.settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """The command keeps its files private, and with them those of the tests that follow it."""
    kept = os.umask(0o022)
    os.umask(kept)
    yield
    os.umask(kept)
