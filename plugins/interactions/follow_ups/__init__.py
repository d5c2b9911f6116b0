"""Follow-ups: what somebody has to do about a contact, and when they are reminded."""
