"""The benchmark: `make bench` loads a large company and measures its pages."""
