"""What a file may cost to read, and why one is refused."""

import resource
import sys

# Five million characters are some 2,000 pages; search needs no more of one file.
MAX_TEXT = 5_000_000
MAX_PAGES = 10_000
# Bytes of XML after unpacking: more is a zip bomb, not an office document.
MAX_UNPACKED = 200_000_000
MAX_PARTS = 20_000
# Bytes of a text, web page or e-mail; four to a character at most.
MAX_PLAIN = 4 * MAX_TEXT
_MEMORY = 1024 * 1024 * 1024
_OPEN_FILES = 32


class Unreadable(Exception):
    """A file's text cannot be had; `reason` is a key of `extraction.REASONS`."""

    def __init__(self, reason: str):
        """Give up for `reason`."""
        super().__init__(reason)
        self.reason = reason


def limit_myself(seconds: int) -> None:
    """Bound this process for good: memory, CPU seconds, open files, no writing."""
    _lower(resource.RLIMIT_CPU, seconds)
    _lower(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_CORE, 0)
    # macOS refuses this one; there, time alone stops what grows and grows.
    if sys.platform != "darwin":
        _lower(resource.RLIMIT_AS, _MEMORY)


def _lower(limit: int, most: int) -> None:
    allowed = resource.getrlimit(limit)[1]
    if allowed != resource.RLIM_INFINITY:
        most = min(most, allowed)
    resource.setrlimit(limit, (most, most))
