"""What all pages of the portal share: their blueprint, reading forms, drawing."""

from decimal import Decimal
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from marshmallow import fields

from core.errors import CRMError, NotFound
from core.permissions import me
from core.problems import flatten
from core.users.models import User
from plugins.portal import words
from plugins.portal.forms import Form
from plugins.portal.models import OrderLine
from plugins.portal.services.numbers import house_currency
from plugins.portal.services.prices import total_of

bp = Blueprint("portal", __name__)

# So many rows a list shows on one page.
PAGE = 50


@bp.context_processor
def _words() -> dict[str, Any]:
    """Give the templates the words of states, prices and days."""
    return {
        "order_states": words.ORDER_STATES,
        "order_steps": words.ORDER_STEPS,
        "purchase_states": words.PURCHASE_STATES,
        "vendor_states": words.VENDOR_STATES,
        "state_kinds": words.STATE_KINDS,
        "price_of_one": words.price_of_one,
        "day": words.day,
        "net_of": _net_of,
        "currency": house_currency(),
    }


def _net_of(line: OrderLine) -> Decimal:
    """Give what one of an order line cost, its discount taken off."""
    return total_of(1, line.unit_price, line.discount)


def read_form(form: type[Form]) -> dict[str, Any]:
    """Read what was sent by the fields of `form`; raises `ValidationError`."""
    schema = form()
    sent: dict[str, Any] = {}
    for name, field in schema.fields.items():
        if name not in request.form:
            continue
        if isinstance(field, fields.List):
            typed = request.form.getlist(name)
            sent[name] = [_or_none(one, field.inner) for one in typed]
        else:
            sent[name] = _or_none(request.form[name], field)
    loaded: dict[str, Any] = schema.load(sent)
    return loaded


def _or_none(text: str, field: fields.Field[Any]) -> str | None:
    """Take an empty day or number as none."""
    optional = isinstance(field, fields.Date | fields.Integer)
    return None if optional and not text.strip() else text


def draw(template: str, error: CRMError | None = None, **context: Any) -> str:
    """Draw a page; after a refusal with `errors` by field, and what was typed."""
    errors = flatten(error.errors) if error else {}
    if error and not errors:
        errors = {"_schema": [str(error.message)]}
    return render_template(
        f"portal/{template}",
        errors=errors,
        form=request.form if error else {},
        **context,
    )


def go(endpoint: str, **values: Any) -> Any:
    """Lead the browser on after an act, so that a reload repeats nothing."""
    return redirect(url_for(endpoint, **values), 303)


def argument(name: str, most: int = 100) -> str:
    """Read an argument of a list, from its address or its form."""
    return str(request.values.get(name, ""))[:most].replace("\x00", "").strip()


def one_of(name: str, known: Any) -> str:
    """Read an argument that is one of `known`, else nothing."""
    given = argument(name)
    return given if given in known else ""


def cursor() -> str | None:
    """Read where the page of a list begins."""
    return request.args.get("cursor") or None


def here(next_cursor: str | None, endpoint: str, **values: Any) -> str:
    """Give the address of the next page of a list, or nothing."""
    if next_cursor is None:
        return ""
    kept = {name: value for name, value in values.items() if value}
    return url_for(endpoint, cursor=next_cursor, **kept)


def outsider() -> User:
    """Give the portal user who is signed in; these pages are not for colleagues."""
    if me().kind == "staff":
        raise NotFound
    return me()
