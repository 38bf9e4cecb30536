"""Fixtures of every test, and the rule that CI skips nothing essential."""

pytest_plugins = ["tests.requirements", "tests.databases", "tests.processes", "tests.stores"]
