"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001_first"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "portal_sequence",
        sa.Column("name", sa.String(length=10), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_portal_sequence")),
    )
    op.create_table(
        "portal_agreement",
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column(
            "discount",
            sa.Numeric(precision=18, scale=4).with_variant(sa.BigInteger(), "sqlite"),
            nullable=False,
        ),
        sa.Column("shows_exact_stock", sa.Boolean(), nullable=False),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_portal_agreement_contact_id_contact"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_agreement")),
        sa.UniqueConstraint("contact_id", name=op.f("uq_portal_agreement_contact_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "portal_order",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("external_number", sa.String(length=60), nullable=True),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=False),
        sa.Column("placed_by_id", sa.Integer(), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("required_on", sa.Date(), nullable=True),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "ship_to",
            sa.JSON().with_variant(
                postgresql.JSONB(astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "freight",
            sa.Numeric(precision=18, scale=4).with_variant(sa.BigInteger(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "total",
            sa.Numeric(precision=18, scale=4).with_variant(sa.BigInteger(), "sqlite"),
            nullable=False,
        ),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_portal_order_contact_id_contact"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["placed_by_id"],
            ["user.id"],
            name=op.f("fk_portal_order_placed_by_id_user"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_order")),
        sa.UniqueConstraint("number", name=op.f("uq_portal_order_number")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("portal_order", schema=None) as batch_op:
        batch_op.create_index(
            "ix_portal_order_contact_id_placed_at_id",
            ["contact_id", "placed_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_portal_order_external_number"),
            ["external_number"],
            unique=False,
        )
        batch_op.create_index(
            "ix_portal_order_placed_at_id", ["placed_at", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_portal_order_placed_by_id"), ["placed_by_id"], unique=False
        )
        batch_op.create_index(
            "ix_portal_order_state_placed_at_id",
            ["state", "placed_at", "id"],
            unique=False,
        )

    op.create_table(
        "portal_product",
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sort_name", sa.String(length=200), nullable=False),
        sa.Column("category", sa.String(length=100), nullable=False),
        sa.Column("unit", sa.String(length=100), nullable=False),
        sa.Column("box_size", sa.Integer(), nullable=False),
        sa.Column(
            "price",
            sa.Numeric(precision=18, scale=4).with_variant(sa.BigInteger(), "sqlite"),
            nullable=False,
        ),
        sa.Column("discontinued", sa.Boolean(), nullable=False),
        sa.Column("lead_time_days", sa.Integer(), nullable=True),
        sa.Column("supplier_id", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["supplier_id"],
            ["contact.id"],
            name=op.f("fk_portal_product_supplier_id_contact"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_product")),
        sa.UniqueConstraint("sku", name=op.f("uq_portal_product_sku")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("portal_product", schema=None) as batch_op:
        batch_op.create_index("ix_portal_product_category", ["category"], unique=False)
        batch_op.create_index(
            "ix_portal_product_sort_name_id", ["sort_name", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_portal_product_supplier_id"), ["supplier_id"], unique=False
        )

    op.create_table(
        "portal_purchase_order",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("vendor_id", sa.Integer(), nullable=True),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=False),
        sa.Column("buyer_id", sa.Integer(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "total",
            sa.Numeric(precision=18, scale=4).with_variant(sa.BigInteger(), "sqlite"),
            nullable=False,
        ),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["buyer_id"],
            ["user.id"],
            name=op.f("fk_portal_purchase_order_buyer_id_user"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_portal_purchase_order_contact_id_contact"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id"],
            ["contact.id"],
            name=op.f("fk_portal_purchase_order_vendor_id_contact"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_purchase_order")),
        sa.UniqueConstraint("number", name=op.f("uq_portal_purchase_order_number")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("portal_purchase_order", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_portal_purchase_order_buyer_id"), ["buyer_id"], unique=False
        )
        batch_op.create_index(
            "ix_portal_purchase_order_contact_id_id", ["contact_id", "id"], unique=False
        )
        batch_op.create_index(
            "ix_portal_purchase_order_state_id", ["state", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_portal_purchase_order_vendor_id"),
            ["vendor_id"],
            unique=False,
        )

    op.create_table(
        "portal_basket_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column(
            "price",
            sa.Numeric(precision=18, scale=4).with_variant(sa.BigInteger(), "sqlite"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["portal_product.id"],
            name=op.f("fk_portal_basket_line_product_id_portal_product"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_portal_basket_line_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_basket_line")),
        sa.UniqueConstraint(
            "user_id",
            "product_id",
            name=op.f("uq_portal_basket_line_user_id_product_id"),
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("portal_basket_line", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_portal_basket_line_product_id"), ["product_id"], unique=False
        )

    op.create_table(
        "portal_placement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["portal_order.id"],
            name=op.f("fk_portal_placement_order_id_portal_order"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_portal_placement_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_placement")),
        sa.UniqueConstraint(
            "user_id", "token", name=op.f("uq_portal_placement_user_id_token")
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("portal_placement", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_portal_placement_order_id"), ["order_id"], unique=False
        )

    op.create_table(
        "portal_price",
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column(
            "price",
            sa.Numeric(precision=18, scale=4).with_variant(sa.BigInteger(), "sqlite"),
            nullable=True,
        ),
        sa.Column(
            "discount",
            sa.Numeric(precision=18, scale=4).with_variant(sa.BigInteger(), "sqlite"),
            nullable=False,
        ),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_portal_price_contact_id_contact"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["portal_product.id"],
            name=op.f("fk_portal_price_product_id_portal_product"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_price")),
        sa.UniqueConstraint(
            "contact_id",
            "product_id",
            name=op.f("uq_portal_price_contact_id_product_id"),
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("portal_price", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_portal_price_product_id"), ["product_id"], unique=False
        )

    op.create_table(
        "portal_purchase_order_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column(
            "unit_price",
            sa.Numeric(precision=18, scale=4).with_variant(sa.BigInteger(), "sqlite"),
            nullable=False,
        ),
        sa.Column("wanted_on", sa.Date(), nullable=True),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("proposed_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["portal_purchase_order.id"],
            name=op.f("fk_portal_purchase_order_line_order_id_portal_purchase_order"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["portal_product.id"],
            name=op.f("fk_portal_purchase_order_line_product_id_portal_product"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_purchase_order_line")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("portal_purchase_order_line", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_portal_purchase_order_line_order_id"),
            ["order_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_portal_purchase_order_line_product_id"),
            ["product_id"],
            unique=False,
        )

    op.create_table(
        "portal_stock",
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("on_hand", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.CheckConstraint("on_hand >= 0", name=op.f("ck_portal_stock_on_hand")),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_portal_stock_reserved")),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["portal_product.id"],
            name=op.f("fk_portal_stock_product_id_portal_product"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_portal_stock")),
    )
    op.create_table(
        "portal_order_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("external_key", sa.String(length=200), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("shipped", sa.Integer(), nullable=False),
        sa.Column(
            "unit_price",
            sa.Numeric(precision=18, scale=4).with_variant(sa.BigInteger(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "discount",
            sa.Numeric(precision=18, scale=4).with_variant(sa.BigInteger(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "total",
            sa.Numeric(precision=18, scale=4).with_variant(sa.BigInteger(), "sqlite"),
            nullable=False,
        ),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("waiting_for_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["portal_order.id"],
            name=op.f("fk_portal_order_line_order_id_portal_order"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["portal_product.id"],
            name=op.f("fk_portal_order_line_product_id_portal_product"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["waiting_for_id"],
            ["portal_purchase_order_line.id"],
            name=op.f("fk_portal_order_line_waiting_for_id_portal_purchase_order_line"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_order_line")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("portal_order_line", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_portal_order_line_order_id"), ["order_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_portal_order_line_product_id"), ["product_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_portal_order_line_waiting_for_id"),
            ["waiting_for_id"],
            unique=False,
        )


def downgrade() -> None:
    with op.batch_alter_table("portal_order_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_portal_order_line_waiting_for_id"))
        batch_op.drop_index(batch_op.f("ix_portal_order_line_product_id"))
        batch_op.drop_index(batch_op.f("ix_portal_order_line_order_id"))

    op.drop_table("portal_order_line")
    op.drop_table("portal_stock")
    with op.batch_alter_table("portal_purchase_order_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_portal_purchase_order_line_product_id"))
        batch_op.drop_index(batch_op.f("ix_portal_purchase_order_line_order_id"))

    op.drop_table("portal_purchase_order_line")
    with op.batch_alter_table("portal_price", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_portal_price_product_id"))

    op.drop_table("portal_price")
    with op.batch_alter_table("portal_placement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_portal_placement_order_id"))

    op.drop_table("portal_placement")
    with op.batch_alter_table("portal_basket_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_portal_basket_line_product_id"))

    op.drop_table("portal_basket_line")
    with op.batch_alter_table("portal_purchase_order", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_portal_purchase_order_vendor_id"))
        batch_op.drop_index("ix_portal_purchase_order_state_id")
        batch_op.drop_index("ix_portal_purchase_order_contact_id_id")
        batch_op.drop_index(batch_op.f("ix_portal_purchase_order_buyer_id"))

    op.drop_table("portal_purchase_order")
    with op.batch_alter_table("portal_product", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_portal_product_supplier_id"))
        batch_op.drop_index("ix_portal_product_sort_name_id")
        batch_op.drop_index("ix_portal_product_category")

    op.drop_table("portal_product")
    with op.batch_alter_table("portal_order", schema=None) as batch_op:
        batch_op.drop_index("ix_portal_order_state_placed_at_id")
        batch_op.drop_index(batch_op.f("ix_portal_order_placed_by_id"))
        batch_op.drop_index("ix_portal_order_placed_at_id")
        batch_op.drop_index(batch_op.f("ix_portal_order_external_number"))
        batch_op.drop_index("ix_portal_order_contact_id_placed_at_id")

    op.drop_table("portal_order")
    op.drop_table("portal_agreement")
    op.drop_table("portal_sequence")
