"""The support part of the demo company: a handful of tickets in every state."""


def load(demo: object) -> None:
    """Replaced below."""
