"""`rapport run`: the web server, with one worker as a child that is kept alive."""

import logging
import subprocess
import sys
import threading
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

log = logging.getLogger("rapport.run")

# Seconds before a worker that died is started again.
REST = 2.0


class WorkerChild:
    """One worker process beside the web server; started again when it dies."""

    def __init__(self, parent: int) -> None:
        """Start the worker; it ends by itself when process `parent` is gone."""
        command = [sys.executable, "-m", "core", "worker", "--parent", str(parent)]
        self.command = command
        self.stopped = threading.Event()
        self.child = subprocess.Popen(command)  # noqa: S603 - our own command
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self.stopped.wait(REST):
            if self.child.poll() is not None:
                log.warning("the worker ended; starting another")
                self.child = subprocess.Popen(self.command)  # noqa: S603 - ours

    def stop(self) -> None:
        """Ask the worker to finish what it holds, and wait for it."""
        self.stopped.set()
        self.child.terminate()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with one process of many threads: every live page holds one."""

    def __init__(self, app: Flask, host: str, port: int) -> None:
        """Serve `app` at `host`:`port`."""
        self.application = app
        self.address = f"{host}:{port}"
        super().__init__()

    def load_config(self) -> None:
        """Set what differs from Gunicorn's defaults."""
        wanted: dict[str, Any] = {
            "bind": self.address,
            "workers": 1,
            "worker_class": "gthread",
            "threads": self.application.config["THREADS"],
            "preload_app": True,
            "graceful_timeout": 3,
            "keepalive": 5,
            "loglevel": "warning",
            "control_socket_disable": True,
            "post_fork": self._after_fork,
        }
        for name, value in wanted.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Give Gunicorn the application."""
        return self.application

    def _after_fork(self, _arbiter: object, _worker: object) -> None:
        # A database connection belongs to the process that opened it.
        self.application.extensions["rapport_engine"].dispose(close=False)


def serve(app: Flask, *, host: str, port: int, with_worker: bool, pid: int) -> None:
    """Serve until told to stop; ends the process."""
    worker = WorkerChild(pid) if with_worker else None
    try:
        Server(app, host, port).run()
    finally:
        if worker is not None:
            worker.stop()
