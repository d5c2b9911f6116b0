"""What comes in from forms and the API, and what goes out."""

from decimal import Decimal
from typing import Any

from marshmallow import fields, validate

from core.schemas import Moment, Money, PageArguments, Schema, Text, money_text
from plugins.portal.models import NAME_LENGTH, SKU_LENGTH
from plugins.portal.services.quick_order import MOST_LINES, MOST_OF_ONE

# Far below what the database holds, so that sums stay inside.
_WHOLE = validate.Range(min=0, max=1_000_000_000)


class Sum(fields.Field[Decimal]):
    """Money in the currency of the order that it belongs to."""

    def _serialize(
        self, value: Decimal | None, attr: str | None, obj: Any, **kwargs: Any
    ) -> Any:
        if value is None:
            return None
        return {"amount": money_text(value), "currency": obj.currency}


class Fraction(fields.Decimal):
    """A discount as a decimal string: "0.05" is five per cent."""

    def __init__(self, **kwargs: Any):
        super().__init__(as_string=True, **kwargs)

    def _to_string(self, value: Decimal) -> str:
        return format(value.normalize(), "f")


class Count(fields.Integer):
    """A whole number from 0, such as a stock."""

    def __init__(self, **kwargs: Any):
        super().__init__(strict=True, validate=_WHOLE, **kwargs)


class StockSchema(Schema):
    """Figures for colleagues; what is shown, and when more comes, for customers."""

    on_hand = Count()
    reserved = Count(dump_only=True)
    available = fields.Integer(dump_only=True)
    shown = fields.String(dump_only=True)
    available_on = fields.Date(dump_only=True, allow_none=True)


class CountedStockSchema(Schema):
    """What somebody counted on the shelf."""

    on_hand = Count(required=True)


class ProductSchema(Schema):
    """A product as its reader sees it; `price` is that reader's own."""

    id = fields.Integer()
    sku = fields.String()
    name = fields.String()
    category = fields.String()
    unit = fields.String()
    box_size = fields.Integer()
    price = Money()
    list_price = Money()
    stock = fields.Nested(StockSchema)
    discontinued = fields.Boolean()
    lead_time_days = fields.Integer(allow_none=True)
    supplier = fields.Integer(allow_none=True)
    version = fields.Integer()


class ProductChangeSchema(Schema):
    """What a colleague may change of a product; `supplier` is the id of a contact."""

    name = Text(most=NAME_LENGTH, least=1)
    category = Text(most=100)
    unit = Text(most=100)
    box_size = fields.Integer(
        strict=True, validate=validate.Range(min=1, max=MOST_OF_ONE)
    )
    price = Money()
    stock = fields.Nested(CountedStockSchema)
    discontinued = fields.Boolean()
    lead_time_days = fields.Integer(
        strict=True, allow_none=True, validate=validate.Range(min=0, max=3650)
    )
    supplier = Count(allow_none=True)


class NewProductSchema(ProductChangeSchema):
    """A product to add."""

    sku = Text(most=SKU_LENGTH, least=1, required=True)
    name = Text(most=NAME_LENGTH, least=1, required=True)


class ProductArguments(PageArguments):
    """Filters of the product list; `contact` is the customer a colleague asks for."""

    q = Text(most=200, load_default="")
    category = Text(most=100, load_default="")
    contact = fields.Integer(load_default=None)


class OrderLineSchema(Schema):
    """A line of an order."""

    id = fields.Integer()
    sku = fields.String()
    name = fields.String()
    quantity = fields.Integer()
    reserved = fields.Integer()
    shipped = fields.Integer()
    to_come = fields.Integer()
    unit_price = Sum()
    discount = Fraction()
    total = Sum()
    promised_on = fields.Date(allow_none=True)


class OrderSchema(Schema):
    """An order; `total` is without `freight`."""

    id = fields.Integer()
    number = fields.String()
    external_number = fields.String(allow_none=True)
    contact = fields.Integer(attribute="contact_id", allow_none=True)
    state = fields.String()
    reference = fields.String()
    lines = fields.List(fields.Nested(OrderLineSchema))
    total = Sum()
    freight = Sum()
    placed_at = Moment()
    required_on = fields.Date(allow_none=True)
    promised_on = fields.Date(allow_none=True)
    shipped_at = Moment(allow_none=True)
    version = fields.Integer()


class WantedLineSchema(Schema):
    """A line to order; `price`, if sent, is the one the buyer saw for one."""

    sku = Text(most=SKU_LENGTH, least=1, required=True)
    quantity = fields.Integer(
        strict=True, required=True, validate=validate.Range(min=1, max=MOST_OF_ONE)
    )
    price = Money()


class NewOrderSchema(Schema):
    """An order to place; colleagues name the `contact` it is for.

    What is not in stock is refused, unless the buyer agrees to `back_orders`.
    """

    lines = fields.List(
        fields.Nested(WantedLineSchema),
        required=True,
        validate=validate.Length(min=1, max=MOST_LINES),
    )
    reference = Text(most=100, load_default="")
    contact = fields.Integer(load_default=None)
    required_on = fields.Date(load_default=None, allow_none=True)
    back_orders = fields.Boolean(load_default=False)


class OrderChangeSchema(Schema):
    """Where a colleague moves an order."""

    state = fields.String(
        required=True,
        validate=validate.OneOf(
            ["confirmed", "picked", "shipped", "delivered", "cancelled"]
        ),
    )


class OrderArguments(PageArguments):
    """Filters of the order list."""

    state = Text(most=10, load_default="")
    contact = fields.Integer(load_default=None)


class PurchaseOrderLineSchema(Schema):
    """A line of a purchase order; `proposed_on` waits for our buyer."""

    id = fields.Integer()
    sku = fields.String()
    name = fields.String()
    quantity = fields.Integer()
    unit_price = Sum()
    total = Sum()
    wanted_on = fields.Date(allow_none=True)
    promised_on = fields.Date(allow_none=True)
    proposed_on = fields.Date(allow_none=True)
    reason = fields.String()


class PurchaseOrderSchema(Schema):
    """A purchase order; it says nothing of any customer."""

    id = fields.Integer()
    number = fields.String()
    vendor = fields.Integer(attribute="vendor_id", allow_none=True)
    state = fields.String()
    reference = fields.String()
    lines = fields.List(fields.Nested(PurchaseOrderLineSchema))
    total = Sum()
    sent_at = Moment(allow_none=True)
    confirmed_at = Moment(allow_none=True)
    received_at = Moment(allow_none=True)
    version = fields.Integer()


class PurchaseLineSchema(WantedLineSchema):
    """A line to order from a vendor; `price` is that of one."""

    wanted_on = fields.Date(allow_none=True)


class NewPurchaseOrderSchema(Schema):
    """A purchase order to write; with `send` the vendor sees it at once."""

    vendor = fields.Integer(required=True)
    lines = fields.List(
        fields.Nested(PurchaseLineSchema),
        required=True,
        validate=validate.Length(min=1, max=MOST_LINES),
    )
    reference = Text(most=100, load_default="")
    send = fields.Boolean(load_default=False)


class LineChangeSchema(Schema):
    """A line whose date the vendor gives or moves, or our buyer accepts or declines."""

    id = fields.Integer(required=True)
    promised_on = fields.Date()
    reason = Text(most=300, load_default="")
    accept = fields.Boolean()


class PurchaseOrderChangeSchema(Schema):
    """What a vendor does (`confirmed`, dates) or our buyer (the rest, `accept`)."""

    state = fields.String(
        validate=validate.OneOf(["sent", "confirmed", "received", "cancelled"])
    )
    lines = fields.List(
        fields.Nested(LineChangeSchema), validate=validate.Length(max=MOST_LINES)
    )


class PurchaseOrderArguments(PageArguments):
    """Filters of the list of purchase orders."""

    state = Text(most=10, load_default="")
    vendor = fields.Integer(load_default=None)
    proposed = fields.Boolean(load_default=False)


class AgreedPriceSchema(Schema):
    """What a product costs a customer: a price, or a discount off the list price.

    `discount` is a fraction in text: "0.05" is five per cent.
    """

    sku = Text(most=SKU_LENGTH, least=1, required=True)
    price = Money(allow_none=True)
    discount = Fraction()


class AgreementChangeSchema(Schema):
    """What to agree on; what is not named stays as it is."""

    discount = Fraction()
    shows_exact_stock = fields.Boolean()
    trusted = fields.Boolean()
    prices = fields.List(
        fields.Nested(AgreedPriceSchema), validate=validate.Length(max=MOST_LINES)
    )


class AgreementSchema(Schema):
    """What was agreed with a customer or vendor."""

    contact = fields.Integer()
    discount = Fraction()
    shows_exact_stock = fields.Boolean()
    trusted = fields.Boolean()
    prices = fields.List(fields.Nested(AgreedPriceSchema))
    version = fields.Integer()
