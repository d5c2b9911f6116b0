"""Handing a customer over to a colleague, who acknowledges item by item."""
