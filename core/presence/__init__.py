"""Who else has a record open, and who is writing."""
