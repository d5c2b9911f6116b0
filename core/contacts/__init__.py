"""People and organisations, how they belong together, and the page that shows them."""
