"""Nightshift: the Python client and the command."""
