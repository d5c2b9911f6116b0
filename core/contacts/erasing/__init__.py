"""Erasing a person's data for good: what is theirs is found by the tables themselves.

Nothing asks the plugins. A column says by `info={"personal": True}` that it holds words
about people; a foreign key that leads to a contact says whose. See `docs/erasing.md`.
"""
