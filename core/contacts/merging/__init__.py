"""Merging two contacts into one, and parting them again."""
