"""What is agreed with a customer or vendor: discount, exact stock, trusted dates."""

from decimal import Decimal
from typing import Any

from flask import flash, request

from core.contacts.models import Contact
from core.errors import Conflict, CRMError
from core.i18n import _
from core.pages import on_refusal
from core.permissions import can, me, requires
from core.visibility import get_visible
from plugins.portal import permissions
from plugins.portal.forms import AgreementForm
from plugins.portal.services import prices
from plugins.portal.views.blueprint import bp, draw, go, read_form

_HUNDRED = Decimal(100)


def _terms_for(contact: Contact) -> tuple[bool, bool]:
    """Say which halves of an agreement make sense: a customer's, and a vendor's."""
    vendor = "vendor" in contact.roles
    may_trust = vendor and can(permissions.MANAGE_PURCHASE_ORDERS)
    return "customer" in contact.roles or not vendor, may_trust


def _draw_agreement(error: CRMError | None = None, *, contact_id: int) -> Any:
    contact = get_visible(me(), Contact, contact_id)
    terms = prices.terms_of(contact)
    is_customer, may_trust = _terms_for(contact)
    return draw(
        "agreement.html",
        error,
        contact=contact,
        terms=terms,
        percent=terms["discount"] * _HUNDRED,
        is_customer=is_customer,
        may_trust=may_trust,
    )


@bp.get("/agreements/<int:contact_id>")
@requires(permissions.MANAGE_ORDERS)
def agreement(contact_id: int) -> Any:
    """What is agreed with a contact, and its prices."""
    return _draw_agreement(contact_id=contact_id)


@bp.post("/agreements/<int:contact_id>")
@requires(permissions.MANAGE_ORDERS)
@on_refusal(_draw_agreement)
def save_agreement(contact_id: int) -> Any:
    """Change what is agreed, unless somebody else did meanwhile."""
    contact = get_visible(me(), Contact, contact_id)
    sent = read_form(AgreementForm)
    known = prices.agreement_with(contact)
    if request.form.get("version", type=int) != known.version:
        raise Conflict
    is_customer, may_trust = _terms_for(contact)
    discount = None
    if is_customer and "percent" in sent:
        fraction = sent["percent"] / _HUNDRED
        discount = prices.checked_discount(fraction, "percent")
    prices.save_agreement(
        contact,
        discount=discount,
        shows_exact_stock=sent["shows_exact_stock"] if is_customer else None,
        trusted=sent["trusted"] if may_trust else None,
    )
    flash(_("Saved."), "ok")
    return go("contacts.show", contact_id=contact.id)
