"""What programs send and are sent about contacts."""

import marshmallow as ma
from marshmallow import fields, validate

from core.contacts.cleaning import ROLES
from core.contacts.services import KINDS
from core.i18n import _
from core.schemas import Moment, PageArguments, Schema, Text
from core.users.schemas import NamedSchema


class EmailSchema(Schema):
    """An e-mail address and what it is for."""

    address = Text(most=254, required=True)
    label = Text(most=40, load_default="")


class PhoneSchema(Schema):
    """A phone number, as people write it, and what it is for."""

    number = Text(most=40, required=True)
    label = Text(most=40, load_default="")


class AddressSchema(Schema):
    """A postal address."""

    label = Text(most=40, load_default="")
    street = Text(most=200, load_default="")
    postcode = Text(most=200, load_default="")
    city = Text(most=200, load_default="")
    region = Text(most=200, load_default="")
    country = Text(most=200, load_default="")


class AffiliationSchema(Schema):
    """That a person belongs to an organisation, in a role, for a time."""

    id = fields.Integer(dump_only=True)
    person = fields.Nested(NamedSchema)
    organisation = fields.Nested(NamedSchema)
    role = Text(most=100)
    active = fields.Boolean()
    since = fields.Date(allow_none=True)
    until = fields.Date(allow_none=True)


class NewAffiliationSchema(Schema):
    """The other side of an affiliation by its id: `organisation`, or `person`."""

    person = fields.Integer(strict=True)
    organisation = fields.Integer(strict=True)
    role = Text(most=100, load_default="")
    active = fields.Boolean()
    since = fields.Date(allow_none=True)
    until = fields.Date(allow_none=True)


class Colleague(fields.Field[int | str]):
    """A colleague, by id or e-mail address."""

    def _deserialize(
        self, value: object, *_args: object, **_kwargs: object
    ) -> int | str:
        if isinstance(value, int | str) and not isinstance(value, bool):
            return value
        raise ma.ValidationError(_("Name a colleague by id or e-mail address."))


class ContactSchema(Schema):
    """A contact as it is sent; people outside the house get fewer fields."""

    id = fields.Integer()
    kind = fields.String()
    name = fields.String()
    given_name = fields.String()
    family_name = fields.String()
    job_title = fields.String()
    emails = fields.List(fields.Nested(EmailSchema))
    phones = fields.List(fields.Nested(PhoneSchema))
    addresses = fields.List(fields.Nested(AddressSchema))
    roles = fields.List(fields.String())
    owner = fields.Nested(NamedSchema, allow_none=True)
    affiliations = fields.List(fields.Nested(AffiliationSchema))
    parent = fields.Nested(NamedSchema, allow_none=True)
    language = fields.String()
    website = fields.String()
    do_not_contact = fields.Boolean()
    know_first = fields.String()
    next_step = fields.String()
    next_step_on = fields.Date(allow_none=True)
    tags = fields.List(fields.String())
    custom = fields.Dict(keys=fields.String())
    last_interaction_at = Moment(allow_none=True)
    created_at = Moment()
    updated_at = Moment()
    version = fields.Integer()


class ContactChangeSchema(Schema):
    """What may be changed of a contact; a field that is not sent stays."""

    name = Text(most=200)
    given_name = Text(most=100)
    family_name = Text(most=100)
    job_title = Text(most=100)
    emails = fields.List(fields.Nested(EmailSchema))
    phones = fields.List(fields.Nested(PhoneSchema))
    addresses = fields.List(fields.Nested(AddressSchema))
    roles = fields.List(fields.String(validate=validate.OneOf(ROLES)))
    owner = Colleague(allow_none=True)
    affiliations = fields.List(fields.Nested(NewAffiliationSchema))
    parent = fields.Integer(strict=True, allow_none=True)
    language = Text(most=5)
    website = Text(most=200)
    do_not_contact = fields.Boolean()
    know_first = Text(most=10_000)
    next_step = Text(most=300)
    next_step_on = fields.Date(allow_none=True)
    tags = fields.List(fields.String())
    custom = fields.Dict(keys=fields.String())


class NewContactSchema(ContactChangeSchema):
    """A new contact: its kind, a name, and whatever is known."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))


class ContactArguments(PageArguments):
    """Which contacts a list sends."""

    q = fields.String(load_default="", validate=validate.Length(max=100))
    kind = fields.String(load_default="", validate=validate.OneOf(["", *KINDS]))
    role = fields.String(load_default="", validate=validate.OneOf(["", *ROLES]))
    owner = fields.String(load_default="", validate=validate.Length(max=9))
    tag = fields.String(load_default="", validate=validate.Length(max=60))
    organisation = fields.Integer(load_default=None)
