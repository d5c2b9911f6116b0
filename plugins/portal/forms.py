"""What the pages' forms send, as people write it: with commas and empty fields."""

from decimal import Decimal, InvalidOperation
from typing import Any

from marshmallow import EXCLUDE, ValidationError, fields, validate

from core.i18n import _
from core.schemas import Schema, Text
from plugins.portal.models import NAME_LENGTH, SKU_LENGTH
from plugins.portal.services.quick_order import MOST_OF_ONE


class Form(Schema):
    """A form of a page; it sends a token and buttons beside its fields."""

    class Meta:
        """Leave out what is not declared."""

        unknown = EXCLUDE


class Price(fields.Field[Decimal]):
    """An amount as people write it: 4.20 or 4,20."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Decimal:
        text = "".join(str(value).split()).replace(",", ".")
        try:
            amount = Decimal(text)
        except InvalidOperation as error:
            raise ValidationError(_("Write an amount such as 12.50.")) from error
        if not amount.is_finite():
            raise ValidationError(_("Write an amount such as 12.50."))
        return amount


class ProductForm(Form):
    """A product as a colleague edits it."""

    name = Text(most=NAME_LENGTH, least=1, required=True)
    category = Text(most=100, load_default="")
    unit = Text(most=100, load_default="")
    box_size = fields.Integer(
        validate=validate.Range(min=1, max=MOST_OF_ONE), load_default=1
    )
    price = Price(required=True)
    lead_time_days = fields.Integer(
        allow_none=True, validate=validate.Range(min=0, max=3650), load_default=None
    )
    discontinued = fields.Boolean(load_default=False)


class NewProductForm(ProductForm):
    """A product to add, with what lies on the shelf."""

    sku = Text(most=SKU_LENGTH, least=1, required=True)
    on_hand = fields.Integer(
        validate=validate.Range(min=0, max=2**31 - 1), load_default=0
    )


class CountForm(Form):
    """What somebody counted on the shelf, and what the page said before."""

    on_hand = fields.Integer(
        required=True, validate=validate.Range(min=0, max=2**31 - 1)
    )
    was = fields.Integer(required=True)


class PutInForm(Form):
    """A product to put into the basket."""

    sku = Text(most=SKU_LENGTH, least=1, required=True)
    quantity = Text(most=20, required=True)


class PlaceForm(Form):
    """The basket as it was shown, to order it; `token` makes it one order."""

    token = Text(most=64, least=8, required=True)
    reference = Text(most=100, load_default="")
    required_on = fields.Date(allow_none=True, load_default=None)
    sku = fields.List(Text(most=SKU_LENGTH), required=True)
    quantity = fields.List(Text(most=20), required=True)
    price = fields.List(Price(), required=True)
    comes_on = fields.List(fields.Date(allow_none=True), required=True)


class PurchaseForm(Form):
    """A purchase order to write; its lines stand side by side."""

    vendor = fields.Integer(required=True)
    reference = Text(most=100, load_default="")
    sku = fields.List(Text(most=SKU_LENGTH), load_default=list)
    quantity = fields.List(Text(most=20), load_default=list)
    wanted_on = fields.List(fields.Date(allow_none=True), load_default=list)
    price = fields.List(Text(most=20), load_default=list)


class DateForm(Form):
    """The date a vendor gives for one line, and why."""

    on = fields.Date(allow_none=True, load_default=None)
    reason = Text(most=300, load_default="")


class AgreementForm(Form):
    """What is agreed with a customer or vendor; `percent` off the list."""

    percent = Price()
    shows_exact_stock = fields.Boolean(load_default=False)
    trusted = fields.Boolean(load_default=False)
