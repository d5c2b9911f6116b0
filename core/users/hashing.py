"""Passwords are hashed on two threads of their own.

What a thread allocated for a hash stays with it: without these, each of some hundred
threads that serve pages would keep 19 MiB after its first sign-in.
"""

import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's second choice for argon2id: 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class _Aside:
    """The threads; a process that was forked off starts its own."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.threads = ThreadPoolExecutor(2, "rapport-hashing")


_aside = _Aside()
os.register_at_fork(after_in_child=_aside.start)


def hash_password(password: str) -> str:
    """Give what is kept of `password`, as argon2id (RFC 9106) with its parameters."""
    return _aside.threads.submit(_hasher.hash, password).result()


def is_password(stored: str | None, password: str) -> bool:
    """Say whether `password` is the one that was hashed to `stored`.

    Without anything stored this takes as long, and is False.
    """
    return _aside.threads.submit(_verify, stored, password).result()


@lru_cache(maxsize=1)
def _decoy() -> str:
    return _hasher.hash(secrets.token_hex())


def _verify(stored: str | None, password: str) -> bool:
    try:
        _hasher.verify(stored or _decoy(), password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None
