"""The contract, over every plugin that comes with Rapport."""

from core.testing.contract.test_code import *  # noqa: F403 - the promises are the tests
from core.testing.contract.test_doors import *  # noqa: F403
from core.testing.contract.test_pages import *  # noqa: F403
from core.testing.contract.test_start import *  # noqa: F403
from core.testing.contract.test_tables import *  # noqa: F403
from core.testing.contract.test_work import *  # noqa: F403
