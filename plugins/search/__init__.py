"""Full-text search over everything the reader may see."""
