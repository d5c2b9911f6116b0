"""Fixtures, factories and the contract tests, also for other people's plugins."""
