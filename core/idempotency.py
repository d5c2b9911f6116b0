"""The same POST twice is done once: the `Idempotency-Key` header.

The answer is kept in the transaction of the change, so a crash can neither lose it
nor keep it without the change; only successes are kept, for 24 hours.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Response, make_response, request
from flask_login import current_user
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, db, now
from core.errors import Invalid
from core.i18n import _

KEPT_FOR = timedelta(hours=24)
_FORMS = {"multipart/form-data", "application/x-www-form-urlencoded"}
_HEADERS = ("Content-Type", "Location", "ETag", "Link")


class IdempotentAnswer(Model):
    """What one POST was answered, to answer the same again."""

    __tablename__ = "idempotent_answer"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"))
    method: Mapped[str] = mapped_column(sa.String(10))
    path: Mapped[str] = mapped_column(sa.String(300))
    key: Mapped[str] = mapped_column(sa.String(255))
    body_hash: Mapped[str] = mapped_column(sa.String(64))
    status: Mapped[int] = mapped_column(default=0)
    headers: Mapped[list[str]] = mapped_column(default=list)
    body: Mapped[bytes] = mapped_column(default=b"")
    at: Mapped[datetime] = mapped_column(default=now, index=True)

    __table_args__ = (sa.UniqueConstraint("user_id", "method", "path", "key"),)


def answer_once(view: Callable[[], Response]) -> Response:
    """Run `view`, or repeat the answer of the same request if it ran before.

    Raises `Invalid` when the key was used with another body.
    """
    key = request.headers.get("Idempotency-Key", "")
    if request.method != "POST" or not key or not current_user.is_authenticated:
        return view()
    if len(key) > 255:
        said = _("An Idempotency-Key has at most 255 characters.")
        raise Invalid(said, errors={"Idempotency-Key": [said]})
    body_hash = _hash_of_body()
    kept = _claim(key, body_hash)
    if kept.status:
        return _again(kept, body_hash)
    response = view()
    # A page's form that was taken is answered by a redirection.
    if 200 <= response.status_code < 400:
        kept.status = response.status_code
        kept.headers = [
            f"{name}: {response.headers[name]}"
            for name in _HEADERS
            if name in response.headers
        ]
        kept.body = response.get_data()
    else:
        db.session.delete(kept)
    return response


def _claim(key: str, body_hash: str) -> IdempotentAnswer:
    """Take the key for this transaction; who comes second finds the answer."""
    one = {"user_id": current_user.id, "method": "POST", "path": request.path[:300]}
    query = sa.select(IdempotentAnswer).filter_by(**one, key=key)
    found = db.session.scalar(query)
    if found is not None and found.at < now() - KEPT_FOR:
        db.session.delete(found)
        db.session.flush()
        found = None
    if found is not None:
        return found
    claim = IdempotentAnswer(**one, key=key, body_hash=body_hash)
    try:
        with db.session.begin_nested():
            db.session.add(claim)
    except IntegrityError:
        return db.session.scalars(query).one()
    return claim


def _again(kept: IdempotentAnswer, body_hash: str) -> Response:
    if kept.body_hash != body_hash:
        said = _("This Idempotency-Key was used with another body. Use a new key.")
        raise Invalid(said, errors={"Idempotency-Key": [said]})
    answer = make_response(kept.body, kept.status)
    for line in kept.headers:
        name, _colon, value = line.partition(": ")
        answer.headers[name] = value
    return answer


def _hash_of_body() -> str:
    """Hash what was sent; of uploads the content, since boundaries differ each time."""
    # A form may be read already, by the CSRF check, and is not to be had as bytes then.
    if request.mimetype not in _FORMS:
        return hashlib.sha256(request.get_data(cache=True)).hexdigest()
    whole = hashlib.sha256()
    for name, value in sorted(request.form.items(multi=True)):
        whole.update(f"{name}={len(value)}:{value}\n".encode())
    for name, file in sorted(request.files.items(multi=True)):
        content = hashlib.file_digest(file.stream, "sha256").hexdigest()  # type: ignore[arg-type]
        file.stream.seek(0)
        whole.update(f"{name}={file.filename}:{content}\n".encode())
    return whole.hexdigest()


def forget_old_answers() -> None:
    """Delete answers that are older than 24 hours."""
    old = IdempotentAnswer.at < now() - KEPT_FOR
    db.session.execute(sa.delete(IdempotentAnswer).where(old))
