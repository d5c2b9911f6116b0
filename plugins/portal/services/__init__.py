"""What the portal does: catalogue and prices, stock, orders, purchase orders."""
