"""Counts of requests in the memory of a process."""

import time_machine

from core.counts import TIDY_SECONDS, ProcessStorage


def test_a_count_ends_with_its_time_and_begins_anew():
    storage = ProcessStorage()
    with time_machine.travel(1_000_000, tick=False) as clock:
        assert [storage.incr("anna", 60) for _ in range(3)] == [1, 2, 3]
        assert storage.get_expiry("anna") == 1_000_060
        clock.shift(59)
        assert storage.incr("anna", 60) == 4
        clock.shift(1)
        assert storage.incr("anna", 60) == 1


def test_counts_that_are_over_do_not_pile_up():
    with time_machine.travel(1_000_000, tick=False) as clock:
        storage = ProcessStorage()
        storage.incr("first", 1)
        for guest in range(1000):
            storage.incr(f"address:{guest}", 60)
        clock.shift(TIDY_SECONDS + 1)
        storage.incr("anna", 60)
    assert set(storage.storage) == {"anna"}
    assert set(storage.expirations) == {"anna"}
