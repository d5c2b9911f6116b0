"""Counts of requests for the limits, in the memory of this process."""

import threading
from time import time

from limits.storage import MemoryStorage

# Counts that are over are dropped so often; each of them is some hundred bytes.
TIDY_SECONDS = 60.0


class ProcessStorage(MemoryStorage):
    """The library's counts in memory, without a thread for each request.

    `MemoryStorage` starts one a hundredth of a second after a request to drop what is
    over; on a page that costs as much as a statement. Used as `process://`.
    """

    STORAGE_SCHEME = ["process"]  # noqa: RUF012 - as the library declares it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **_: str):
        """Start with no counts."""
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        # The library starts the first of its threads here; beside the counts it would
        # drop them while `incr` looks through them.
        self.timer.cancel()
        self.timer.join()
        self._lock = threading.Lock()
        self._tidied = time()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count `amount` under `key`; it ends `expiry` seconds after its first."""
        at = time()
        with self._lock:
            if at > self._tidied + TIDY_SECONDS:
                self._tidied = at
                for over in [one for one, end in self.expirations.items() if end <= at]:
                    self.storage.pop(over, None)
                    self.expirations.pop(over, None)
            if self.expirations.get(key, 0) <= at:
                self.storage[key] = 0
                self.expirations[key] = at + expiry
            self.storage[key] += amount
            return self.storage[key]
