"""What workers do for imports: check a file, bring it in, take it back.

A task belongs to its run. A worker claims it by a token under a lease, which every step
renews in its own transaction; whoever lost the token takes the step back. A worker that
dies leaves the lease to run out, and the next goes on after the last step.
"""

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any, TypeAlias

import sqlalchemy as sa
from flask import Flask, current_app
from sqlalchemy.exc import OperationalError

from core.db import db, now
from core.errors import Conflict, CRMError
from core.i18n import _
from core.importing.keeping import drop_file, import_store
from core.importing.models import ImportRun
from core.importing.refusing import reason_of
from core.importing.reports import Report
from core.importing.running import resume_import, try_import
from core.importing.steps import PutDown
from core.importing.telling import tell_end
from core.importing.undoing import UndoReport, undo_import
from core.users.models import User

log = logging.getLogger("rapport.worker")

CHECK, BRING, UNDO = "check", "bring", "undo"
# Every step renews it; who is silent for longer is dead. At most the house's own lease.
LONGEST_LEASE = 20
IDLE = 1.0

Stop: TypeAlias = Callable[[], bool]


def _lease() -> timedelta:
    return timedelta(seconds=min(current_app.config["LEASE_SECONDS"], LONGEST_LEASE))


def ask(run: ImportRun, task: str, *, by: User) -> ImportRun:
    """Have a worker do something with a run; raises `Conflict` while one is at it."""
    if run.task:
        raise Conflict(_("This import is under way. Wait until it ends."))
    run.task, run.token, run.leased_until = task, "", None
    run.task_since, run.asked_by_id = now(), by.id
    if task != BRING or not run.resume_row:
        run.part = 0.0
    run.found = {**run.found, "from": run.part, "error": ""}
    if task != CHECK:
        run.state = "running" if task == BRING else "undoing"
    db.session.flush()
    return run


def do_waiting(app: Flask, *, stop: Stop = lambda: False) -> int:
    """Do one task that nobody is at; give how many were done."""
    with app.app_context():
        claimed = _claim()
        if claimed is None:
            return 0
        try:
            _do(app, *claimed, stop)
        except PutDown:
            _let_go(*claimed)
        except OperationalError as error:
            # The database is busy or away: that passes, and no row is lost by it.
            said = type(error.orig).__name__
            log.warning("import %d waits for the database: %s", claimed[0], said)
            _let_go(*claimed)
            return 0
        except Exception as error:
            _stop(claimed[0], claimed[1], error)
        return 1


def _claim() -> tuple[int, str] | None:
    at = now()
    free = sa.or_(
        ImportRun.leased_until.is_(None),
        ImportRun.leased_until < at,
        # A clock that was ahead, and was set back since.
        ImportRun.leased_until > at + 2 * _lease(),
    )
    waiting = sa.select(ImportRun.id).where(ImportRun.task != "", free)
    with db.read_only() as session:
        run_id = session.scalar(waiting.order_by(ImportRun.task_since).limit(1))
    if run_id is None:
        return None
    token = secrets.token_hex(16)
    with db.transaction() as session:
        taken = session.execute(
            sa.update(ImportRun)
            .where(ImportRun.id == run_id, ImportRun.task != "", free)
            .values(token=token, leased_until=at + _lease())
            .returning(ImportRun.id)
        ).all()
    return (run_id, token) if taken else None


def _let_go(run_id: int, token: str) -> None:
    with db.transaction() as session:
        session.execute(
            sa.update(ImportRun)
            .where(ImportRun.id == run_id, ImportRun.token == token)
            .values(token="", leased_until=None)
        )


def _do(app: Flask, run_id: int, token: str, stop: Stop) -> None:
    with db.read_only() as session:
        run = session.get_one(ImportRun, run_id)
        session.expunge(run)

    def renew(part: float, **more: Any) -> None:
        held = db.session.execute(
            sa.update(ImportRun)
            .where(ImportRun.id == run_id, ImportRun.token == token)
            .values(part=part, leased_until=now() + _lease(), **more)
            .returning(ImportRun.id)
        ).all()
        if stop() or not held:
            raise PutDown

    if run.task == UNDO:
        undone = undo_import(
            app,
            run_id,
            actor_id=run.asked_by_id or 0,
            on_step=lambda _report, part: renew(part),
        )
        _finish(run_id, {"undo": _written_undo(undone)})
        return
    path = import_store().path(run.file_hash)
    if run.task == CHECK:
        report = try_import(
            app, run, path, on_step=lambda seen, part: renew(part, rows=seen.rows)
        )
        _finish(run_id, _written(report), rows=report.rows)
        return
    if run.state != "done":
        # Else a worker died between the last step and this.
        resume_import(app, run_id, path, on_step=lambda _report, part: renew(part))
    _finish(run_id, {}, forget=True)


def _written(report: Report) -> dict[str, Any]:
    counts = {
        name: getattr(report, name)
        for name in ("created", "updated", "same", "refused", "left_out")
    }
    samples = {
        outcome: [asdict(one) for one in some]
        for outcome, some in report.samples.items()
    }
    return {"counts": counts, "samples": samples, "unused": list(report.unused)}


def _written_undo(report: UndoReport) -> dict[str, Any]:
    return asdict(report)


def _finish(
    run_id: int, found: dict[str, Any], *, rows: int | None = None, forget: bool = False
) -> None:
    with db.transaction() as session:
        run = session.get_one(ImportRun, run_id)
        task, run.task, run.token, run.leased_until = run.task, "", "", None
        run.part, run.found = 1.0, {**run.found, **found}
        if rows is not None:
            run.rows = rows
        if forget:
            drop_file(run)
        if "undo" in found:
            tell_end(run, "undone")
        log.info("import %d: %s done", run_id, task or UNDO)


def _stop(run_id: int, token: str, error: Exception) -> None:
    """Note why a task ended early; what it did so far stays."""
    if isinstance(error, CRMError):
        said = reason_of(error) or str(_("You may not do this any more."))
    else:
        log.error("import %d stopped", run_id, exc_info=error)
        said = str(_("Something here failed. Your administrator finds it in the log."))
    with db.transaction() as session:
        run = session.get_one(ImportRun, run_id)
        if run.token != token:
            return
        if run.task != CHECK:
            run.state = "stopped" if run.task == BRING else "kept"
            run.finished_at = now()
            tell_end(run, run.state)
        run.task, run.token, run.leased_until = "", "", None
        run.found = {**run.found, "error": said}


class Bringer:
    """Does the tasks of imports beside a worker's other work, in a thread."""

    def __init__(self, app: Flask) -> None:
        """Begin at once."""
        self._app = app
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Put down what is at hand after its step, and wait for that."""
        self._stopped.set()
        self._thread.join(8)

    def _work(self) -> None:
        while not self._stopped.is_set():
            try:
                busy = do_waiting(self._app, stop=self._stopped.is_set)
            except OperationalError as error:
                said = type(error.orig).__name__
                log.warning("imports: the database does not answer: %s", said)
                busy = 0
            except Exception:
                # Whatever this was, the imports of others must go on.
                log.exception("imports stumbled")
                busy = 0
            if not busy:
                self._stopped.wait(IDLE)
