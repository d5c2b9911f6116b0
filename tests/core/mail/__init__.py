"""Outgoing mail, against a real mail server."""
