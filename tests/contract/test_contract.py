"""The contract, over every plugin that comes with Rapport."""

from core.testing.contract import *  # noqa: F403 - the promises are the tests
