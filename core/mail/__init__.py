"""Outgoing mail: `services.queue_mail` writes it down, the worker sends it."""
