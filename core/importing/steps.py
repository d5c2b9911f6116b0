"""One step of an import: rows, each in its savepoint, and what is noted of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import marshmallow as ma
import sqlalchemy as sa

from core.db import Model, Record, db, now
from core.errors import CRMError, Invalid
from core.i18n import _
from core.importing.choices import NEW, SKIP, Choices
from core.importing.keys import ComesEarlierHere, Keys
from core.importing.mapping import FieldMapping, schema_of
from core.importing.models import ImportRun
from core.importing.noting import note_entries, note_refusals
from core.importing.reading import Cells, TableRow
from core.importing.refusing import REFUSALS, reason_of
from core.importing.reports import SHOWN, Refusal, Report, Sample, words_of
from core.importing.telling import tell_end
from core.importing.watching import Changes, watching
from core.imports import ImportContext, ImportKind, KeyedRow, Row
from core.users.models import User

LONGEST_KEY = 200


# Called inside the transaction of each step with its report and how much of the file
# lies behind it, from 0 to 1. What it raises takes the step back.
OnStep: TypeAlias = Callable[[Report, float], None]


class PutDown(Exception):
    """A worker puts an import down between two steps; another goes on with it."""


class _Skipped(Exception):
    """This row means a record that is here already, and shall not change it."""


@dataclass(frozen=True)
class _Taken:
    """A row that could be read: where it stands, its key and its fields."""

    row: TableRow
    key: str | None
    data: Row


def _number(noted: tuple[str, Any]) -> int:
    return int(noted[0].rpartition("/")[2])


class Importer:
    """Brings in the rows of one file; lives as long as the run."""

    def __init__(
        self,
        kind: ImportKind,
        mapping: FieldMapping,
        report: Report,
        *,
        source: str,
        actor_id: int,
        choices: Choices | None = None,
        on_step: OnStep | None = None,
    ):
        """Note in `report` how it goes; write to the run that the report names."""
        self.kind = kind
        self.mapping = mapping
        self.report = report
        self.actor_id = actor_id
        self.source = source
        self.choices = choices or Choices()
        self.on_step = on_step
        self.keys = Keys(source, actor_id=actor_id, trial=report.trial)
        self.shared: dict[str, Any] = {}
        self._schema = schema_of(kind.schema, mapping)
        self._refused: list[tuple[Refusal, Cells]] = []
        self._touched: dict[Record, bool] = {}
        # What was made many at once: references, their versions, and which are new.
        self._stored: dict[str, tuple[int, bool]] = {}

    def bring_step(self, rows: Sequence[TableRow]) -> None:
        """Bring in some rows and note them, in the transaction that is open.

        In a trial everything is taken back again, but for the report.
        """
        if self.report.trial:
            with db.session.begin_nested() as savepoint:
                self._bring(rows)
                savepoint.rollback()
            self.keys.save()
            self._forget()
        else:
            self._bring(rows)
            self._note(len(rows))
        if self.on_step is not None:
            self.on_step(self.report, rows[-1].part)

    def _bring(self, rows: Sequence[TableRow]) -> None:
        taken = [one for row in rows if (one := self._take(row)) is not None]
        keys = [one.key for one in taken if one.key is not None]
        self.keys.look_up(self.kind.name, keys)
        context = ImportContext(
            kind=self.kind.name,
            source=self.source,
            actor=db.session.get_one(User, self.actor_id),
            keys=self.keys,
            shared=self.shared,
        )
        with watching(db.session) as changes:
            at, alone = 0, 1
            while at < len(taken):
                done = self._bring_together(taken[at:], context)
                at += done
                # Where rows mean what is here already, one asks ever more seldom.
                alone = 1 if done else 2 * alone
                for one in taken[at : at + alone]:
                    context.line, context.key = one.row.line, one.key
                    context.as_new = self.choices.of(one.row.line) == NEW
                    changes.forget()
                    self._bring_row(one, context, changes)
                at += alone
        self._refused.sort(key=lambda one: one[0].line)
        room = SHOWN - len(self.report.refusals)
        self.report.refusals += [refusal for refusal, _cells in self._refused[:room]]

    def _take(self, row: TableRow) -> _Taken | None:
        """Read a row as the mapping and the schema say; None if it stays outside."""
        if row.problem:
            self._refuse(row, row.problem)
            return None
        try:
            mapped = self.mapping.row_of(row.cells)
            if mapped is None:
                self.report.left_out += 1
                return None
            key, fields = mapped
            if key is not None and len(key) > LONGEST_KEY:
                raise Invalid(_("The key of this row is too long."))
            return _Taken(row, key, self._schema.load(fields))
        except (CRMError, ma.ValidationError) as error:
            self._refuse(row, reason_of(error))
            return None

    def _bring_together(self, taken: Sequence[_Taken], context: ImportContext) -> int:
        """Bring in the leading rows that are plainly new; give how many."""
        if self.kind.bring_many is None:
            return 0
        rows = [KeyedRow(one.key, one.data) for one in taken]
        try:
            with db.session.begin_nested():
                outcomes = self.kind.bring_many(rows, context)
        except REFUSALS:
            # One of them is to blame, and alone it will say so.
            return 0
        for one, outcome in zip(taken, outcomes, strict=False):
            if isinstance(outcome, CRMError):
                self._refuse(one.row, reason_of(outcome))
                continue
            self.report.created += 1
            self._show("created", one)
            if one.key is not None:
                self.keys.remember(self.kind.name, one.key, outcome.ref)
            self._stored[outcome.ref] = (1, True)
            for ref, version, new in outcome.beside:
                earlier = self._stored.get(ref, (0, False))
                self._stored[ref] = (version, new or earlier[1])
        return len(outcomes)

    def _bring_row(
        self, taken: _Taken, context: ImportContext, changes: Changes
    ) -> None:
        bring = self.kind.bring
        if bring is None:
            raise Invalid(_("Nothing here brings in “%(name)s”.", name=self.kind.name))
        try:
            with db.session.begin_nested():
                record = bring(taken.data, context)
                db.session.flush()
                if not changes.made(record):
                    self._ask(taken, record, changes)
        except _Skipped:
            self.report.same += 1
        except ComesEarlierHere:
            self.report.created += 1
            self._show("created", taken)
        except REFUSALS as error:
            self._refuse(taken.row, reason_of(error))
        else:
            self._accept(taken, record, changes)

    def _ask(self, taken: _Taken, record: Model | None, changes: Changes) -> None:
        """Show what the row would change; raises `_Skipped` if it shall not."""
        changed = bool(changes.added or changes.records)
        self._show("updated" if changed else "same", taken, record, changes.values)
        if changed and self.choices.of(taken.row.line) == SKIP:
            raise _Skipped

    def _show(
        self,
        outcome: str,
        taken: _Taken,
        record: Model | None = None,
        values: Mapping[str, tuple[Any, Any]] | None = None,
    ) -> None:
        if not self.report.trial:
            return
        fields = {name: words_of(one) for name, one in taken.data.items()}
        changed: Mapping[str, tuple[Any, Any]] = values or {}
        changes = tuple(
            (name, words_of(before), words_of(after))
            for name, (before, after) in changed.items()
            if name in fields
        )
        ref = str(getattr(record, "ref", ""))
        self.report.show(outcome, Sample(taken.row.line, fields, ref, changes=changes))

    def _accept(self, taken: _Taken, record: Model | None, changes: Changes) -> None:
        if taken.key is not None and isinstance(record, Record):
            self.keys.remember(self.kind.name, taken.key, record.ref)
        if changes.made(record):
            self.report.created += 1
            self._show("created", taken)
        elif changes.added or changes.records:
            self.report.updated += 1
        else:
            self.report.same += 1
        for one, new in changes.records.items():
            self._touched[one] = self._touched.get(one, False) or new

    def _refuse(self, row: TableRow, reason: str) -> None:
        self.report.refused += 1
        self._refused.append((Refusal(row.line, reason), row.cells))
        if self.report.trial:
            # Where a cell could not be read, there is nothing to mend by its name.
            cells = {} if row.problem else row.cells
            self.report.show(
                "refused", Sample(row.line, {}, reason=reason, cells=cells)
            )

    def _note(self, rows: int) -> None:
        """Write keys, entries, refusals and the point to go on from."""
        self.keys.save()
        run_id, report = self.report.run_id, self.report
        touched = self._stored
        for one, new in self._touched.items():
            if not sa.inspect(one).deleted:
                made = touched.get(one.ref, (0, False))[1]
                touched[one.ref] = (one.version, new or made)
        note_entries(
            [
                {"run_id": run_id, "ref": ref, "created": new, "version": version}
                # In the order they were made: an undo begins at the other end.
                for ref, (version, new) in sorted(touched.items(), key=_number)
            ]
        )
        note_refusals(
            [
                {"run_id": run_id, "line": one.line, "reason": one.reason, "row": row}
                for one, row in self._refused
            ]
        )
        db.session.execute(
            sa.update(ImportRun)
            .where(ImportRun.id == run_id)
            .values(
                resume_row=ImportRun.resume_row + rows,
                created=report.created,
                updated=report.updated,
                same=report.same,
                refused=report.refused,
            )
        )
        self._forget()

    def _forget(self) -> None:
        self._refused.clear()
        self._touched.clear()
        self._stored.clear()

    def close(self, state: str) -> None:
        """Note how the run ended."""
        if self.report.trial:
            return
        with db.transaction() as session:
            session.execute(
                sa.update(ImportRun)
                .where(ImportRun.id == self.report.run_id)
                .values(state=state, finished_at=now())
            )
            tell_end(session.get_one(ImportRun, self.report.run_id), state)
