"""Checking passwords costs a process memory for two of them, however many it checks."""

import subprocess
import sys

from core.users.hashing import hash_password, is_password

# Each thread signs somebody in, one after the other, and stays, as a server's do.
_MANY = """
import threading
from core.users.hashing import hash_password

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(one.split()[1]) for one in lines if one.startswith("VmHWM")) // 1024

before, ended = peak(), threading.Event()

def sign_in(done):
    hash_password("a long password")
    done.set()
    ended.wait()

for _ in range(12):
    done = threading.Event()
    threading.Thread(target=sign_in, args=(done,)).start()
    done.wait()
ended.set()
print(peak() - before)
"""


def test_twelve_threads_that_sign_people_in_keep_memory_for_two():
    done = subprocess.run(
        [sys.executable, "-c", _MANY], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 3 * 19


def test_a_process_that_was_forked_off_checks_passwords_as_its_parent_did():
    forking = """
import os
from core.users.hashing import hash_password, is_password
kept = hash_password("a long password")
child = os.fork()
if child == 0:
    os._exit(0 if is_password(kept, "a long password") else 1)
print(os.waitpid(child, 0)[1])
"""
    done = subprocess.run(
        [sys.executable, "-c", forking],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.strip() == "0"


def test_only_the_password_itself_fits():
    kept = hash_password("a long password")
    assert is_password(kept, "a long password")
    assert not is_password(kept, "another password")
    assert not is_password("not a hash", "a long password")
    assert not is_password(None, "a long password")
