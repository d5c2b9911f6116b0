"""Loads the fixtures of `core.testing`; nothing else."""

pytest_plugins = ["core.testing.fixtures"]
